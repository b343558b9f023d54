# ganlab with all its plugins. The default build of torch brings CUDA's libraries, which the host's driver serves:
#   docker build -t ganlab .
#   docker run --rm --gpus all -v "$PWD:/work" ganlab train experiments/quickstart.yaml
FROM python:3.12-slim
COPY pyproject.toml README.md LICENSE /src/
COPY ganlab /src/ganlab
COPY plugins /src/plugins
RUN cd /src && pip install --no-cache-dir . plugins/*/ && rm -rf /src
WORKDIR /work
ENTRYPOINT ["ganlab"]
CMD ["--help"]
