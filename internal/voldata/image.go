package voldata

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/image"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Image is the name of the image of the containers: an empty file system. No registry has it, and nothing of it ever runs.
const Image = "dogker.internal/volume-data:1"

// layer is the one layer, a tar of nothing. Some engines do not take an image without any.
var layer = make([]byte, 1024)

// layerID is how engines name the layer. An image by our name that is made of something else is not used.
var layerID = "sha256:" + hexSum(layer)

// ensureImage returns the ID of the image, which it gives the engine when that has none.
func ensureImage(ctx context.Context, e Engine) (string, error) {
	id, err := findImage(ctx, e)
	if err == nil || !errors.Is(err, swarmobj.ErrNotFound) {
		return id, err
	}

	archive, err := ImageArchive()
	if err != nil {
		return "", err
	}
	answer, err := e.ImageLoad(ctx, bytes.NewReader(archive))
	if err != nil {
		return "", translate(err, "load image %q", Image)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return "", translate(err, "load image %q", Image)
	}

	// What went wrong stands in the answer only; what counts is whether the image is there.
	return findImage(ctx, e)
}

func findImage(ctx context.Context, e Engine) (string, error) {
	got, err := e.ImageInspect(ctx, Image)
	switch {
	case cerrdefs.IsNotFound(err), err == nil && !IsImage(got):
		return "", fmt.Errorf("image %q: %w", Image, swarmobj.ErrNotFound)
	case err != nil:
		return "", translate(err, "look at image %q", Image)
	}

	return got.ID, nil
}

// IsImage tells whether an engine has the right thing by the name of Image.
func IsImage(i image.InspectResponse) bool {
	return slices.Equal(i.RootFS.Layers, []string{layerID}) && (i.Config == nil || len(i.Config.Volumes) == 0)
}

// ImageArchive is the image in the format of `docker save`. It is the same on every node of an architecture.
func ImageArchive() ([]byte, error) {
	epoch := time.Unix(0, 0).UTC()
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "created": epoch, "config": map[string]any{},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{layerID}},
		"history": []any{map[string]any{"created": epoch, "created_by": "dogker volume data"}},
	})
	if err != nil {
		return nil, err
	}
	name := hexSum(config) + ".json"
	manifest, err := json.Marshal([]any{map[string]any{"Config": name, "RepoTags": []string{Image}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return nil, err
	}

	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []struct {
		name string
		data []byte
	}{{name, config}, {"layer.tar", layer}, {"manifest.json", manifest}} {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.data)), ModTime: epoch}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}

	return out.Bytes(), w.Close()
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)

	return hex.EncodeToString(sum[:])
}
