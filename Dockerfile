# The program and the certificates that it trusts; nothing else.
#
#   docker build --build-arg VERSION=v1.0.0 -t oras-mirror .
#   docker run --rm -v "$PWD:/work" oras-mirror backup -f mirror.yaml
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH VERSION
WORKDIR /source
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
	-ldflags "-s -w -buildid= -X main.version=$VERSION" -o /oras-mirror .
# A container of its own may not have a place for what must lie on disk on the way.
RUN mkdir -m 1777 /empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /oras-mirror /oras-mirror
COPY --from=build /empty /tmp
COPY --from=build /empty /work
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/oras-mirror"]
