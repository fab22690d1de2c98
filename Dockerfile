# The program and the certificates that it trusts; nothing else. "make image" builds it and passes
# the version. With another GO_IMAGE, such as one of your registry, it is built by that.
#
#   make image IMAGE=oras-mirror
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" \
#     -v "$HOME/.docker:/login:ro" -e DOCKER_CONFIG=/login oras-mirror backup -f mirror.yaml
ARG GO_IMAGE=docker.io/library/golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d

FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH VERSION
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
	-ldflags "-s -w -buildid= -X main.version=$VERSION" -o /oras-mirror .
# Folders to work in, for any user: an image from scratch has none.
RUN mkdir -p /image/tmp /image/work && chmod 1777 /image/tmp /image/work

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /oras-mirror /oras-mirror
COPY --from=build /image/ /
COPY LICENSE /usr/share/doc/oras-mirror/LICENSE
ARG VERSION REVISION CREATED
LABEL org.opencontainers.image.title="oras-mirror" \
	org.opencontainers.image.description="Back up OCI artifacts of many registries and restore them to any registry" \
	org.opencontainers.image.version="$VERSION" \
	org.opencontainers.image.revision="$REVISION" \
	org.opencontainers.image.created="$CREATED" \
	org.opencontainers.image.authors="The oras-mirror authors" \
	org.opencontainers.image.vendor="oras-mirror" \
	org.opencontainers.image.url="https://github.com/oras-mirror/oras-mirror" \
	org.opencontainers.image.source="https://github.com/oras-mirror/oras-mirror" \
	org.opencontainers.image.documentation="https://github.com/oras-mirror/oras-mirror/tree/main/docs" \
	org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/oras-mirror"]
