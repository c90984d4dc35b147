package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry is a registry of images in memory, on the loopback interface. A server that rules over tenants asks one for every
// image of theirs.
type Registry struct {
	// Host of the registry, as in references of images.
	Host string

	server *http.Server
}

// StartRegistry starts one.
func StartRegistry() (*Registry, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start registry: %w", err)
	}

	quiet := log.New(io.Discard, "", 0)
	r := &Registry{Host: l.Addr().String(), server: &http.Server{Handler: registry.New(registry.Logger(quiet)), ErrorLog: quiet}}
	go func() { _ = r.server.Serve(l) }()

	return r, nil
}

// Push puts a small image that nobody can run into a repository, and returns its reference.
func (r *Registry) Push(ctx context.Context, repository string) (string, error) {
	image, err := random.Image(64, 1)
	if err != nil {
		return "", err
	}
	ref, err := name.NewTag(r.Host + "/" + repository + ":1")
	if err != nil {
		return "", err
	}
	if err := remote.Write(ref, image, remote.WithContext(ctx)); err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}

	return ref.String(), nil
}

// Close ends it.
func (r *Registry) Close() error {
	if err := r.server.Close(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}

	return nil
}
