import dataclasses

from sr_program.settings import setting


def test_setting():
    @dataclasses.dataclass
    class Config:
        size: int = setting(3, "How large.")
        kind: str = setting("a", "Which.", ("a", "b"))

    assert Config() == Config(3, "a")
    size, kind = dataclasses.fields(Config)
    assert size.metadata == {"help": "How large.", "choices": ()}
    assert kind.metadata == {"help": "Which.", "choices": ("a", "b")}
