package faults

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// registry holds images in memory.
type registry struct {
	digests map[string]string
}

func newRegistry() *registry { return &registry{digests: map[string]string{}} }

// push puts an image into the registry and returns it by digest.
func (r *registry) push(ref string) string {
	r.digests[ref] = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(ref)))
	repository, _, _ := strings.Cut(ref, ":")

	return repository + "@" + r.digests[ref]
}

// door is a process's way to the registry, through its seam.
type door struct {
	seam     *converge.Seam
	registry *registry
}

// Resolve implements workload.Registry.
func (d door) Resolve(ctx context.Context, ref string, _ [][]byte) (swarmobj.ResolvedImage, error) {
	kind, err := d.seam.Enter(ctx, converge.Call{Seam: "Registry", Op: "Resolve", Target: ref})

	switch {
	case err != nil:
		return swarmobj.ResolvedImage{}, fmt.Errorf("%w: %w", swarmobj.ErrUnavailable, err)
	case kind != "":
		return swarmobj.ResolvedImage{}, swarmobj.ErrUnavailable
	}

	digest, ok := d.registry.digests[ref]
	if !ok {
		return swarmobj.ResolvedImage{}, swarmobj.ErrNotFound
	}

	return swarmobj.ResolvedImage{Reference: ref + "@" + digest}, nil
}

// Grant implements workload.Registry.
func (d door) Grant(ctx context.Context, ref string, secrets [][]byte) (swarmobj.ResolvedImage, error) {
	tagged, _, _ := strings.Cut(ref, "@")
	if _, err := d.Resolve(ctx, tagged, secrets); err != nil {
		return swarmobj.ResolvedImage{}, err
	}

	return swarmobj.ResolvedImage{Reference: ref}, nil
}

// Verify implements workload.Registry. Nothing here is signed.
func (d door) Verify(context.Context, string, [][]byte, []string) (string, error) {
	return "", swarmobj.ErrNotFound
}

// Auths implements workload.Registry.
func (d door) Auths(string, [][]byte) ([]string, error) { return nil, nil }
