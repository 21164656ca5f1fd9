# The program with its weights, for CPUs, as a user without rights:
#
#   docker build -t bi-gans-st .
#   docker run --rm -v "$PWD:/photos" bi-gans-st bigans-upscale photo.jpg --output=photo_x4.png
FROM python:3.12-slim AS wheel
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir build==1.3.0 && python -m build --wheel --outdir /wheels

FROM python:3.12-slim
RUN useradd --create-home --uid 1000 bigans
COPY requirements.lock /tmp/requirements.lock
COPY --from=wheel /wheels /wheels
# The lock file has TensorFlow's build for CPUs, under another name than the wheel asks for: no-deps.
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
    && pip install --no-cache-dir --no-deps /wheels/*.whl \
    && rm -r /wheels /tmp/requirements.lock
USER bigans
# The models are built once, here, and not in each container.
ENV BIGANS_CACHE=/home/bigans/cache
RUN python -c "from bigans import Upscaler; Upscaler.from_pretrained()"
WORKDIR /photos
HEALTHCHECK --interval=5m --timeout=1m \
    CMD ["python", "-c", "from bigans import Upscaler; Upscaler.from_pretrained()"]
CMD ["bigans-upscale", "--help"]
