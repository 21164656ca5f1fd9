"""A connection by gRPC or REST, as the address says."""

from __future__ import annotations

from bigans.models.server.calls import Calls, Server
from sr_program.machine.optional_packages import require_extra


def connect(server: Server) -> Calls:
    """Opens a connection; nothing is sent yet.

    Raises:
        UsageError: A package of the extra `serving` is missing.
    """
    require_extra("serving")
    if server.is_rest:
        from bigans.models.server.rest_calls import RestCalls

        return RestCalls(server)
    from bigans.models.server.grpc_calls import GrpcCalls

    return GrpcCalls(server)
