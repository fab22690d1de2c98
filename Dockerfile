# The program and the certificates that it trusts; nothing else.
#
#   docker build --build-arg VERSION=v1.0.0 -t oras-mirror .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" \
#     -v "$HOME/.docker:/login:ro" -e DOCKER_CONFIG=/login oras-mirror backup -f mirror.yaml
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
	-ldflags "-s -w -buildid= -X main.version=$VERSION" -o /oras-mirror .
# Places to work in, for whoever runs it: an image from scratch has none.
RUN mkdir -p /image/tmp /image/work && chmod 1777 /image/tmp /image/work

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /oras-mirror /oras-mirror
COPY --from=build /image/ /
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/oras-mirror"]
