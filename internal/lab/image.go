package lab

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Repository is the repository of the images that labs hold. No registry has it: the host does not exist.
const Repository = "dogker.test/app"

// Image is the reference of a version of the app, such as dogker.test/app:v1.
func Image(version string) string { return Repository + ":" + version }

//go:embed app/*.go
var appSource embed.FS

// epoch dates everything in the images, so that all engines of a lab give an image the same ID.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// loadImages gives the engine the versions of the app.
func (n *Node) loadImages(ctx context.Context, versions []string) error {
	for _, version := range versions {
		archive, err := imageArchive(version)
		if err != nil {
			return fmt.Errorf("build image %q: %w", Image(version), err)
		}

		resp, err := n.Docker.ImageLoad(ctx, bytes.NewReader(archive))
		if err != nil {
			return fmt.Errorf("load image %q: %w", Image(version), err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			return fmt.Errorf("load image %q: %w", Image(version), err)
		}
	}

	return nil
}

// ImageID is the ID of the image on every engine of the lab. A service whose image is an ID starts without the engine
// asking a registry first.
func (l *Lab) ImageID(ctx context.Context, version string) (string, error) {
	got, err := l.Nodes[0].Docker.ImageInspect(ctx, Image(version))
	if err != nil {
		return "", err
	}

	return got.ID, nil
}

// imageArchive is an image in the format of `docker save`: the app and a file that says the version, on nothing.
func imageArchive(version string) ([]byte, error) {
	app, err := buildApp()
	if err != nil {
		return nil, err
	}

	layer, err := tarOf(
		entry{name: "app", mode: 0o755, content: app},
		entry{name: "tar", link: "app"},
		entry{name: "version", mode: 0o644, content: []byte(version + "\n")},
		entry{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0::/:\napp:x:1000:1000::/:\n")},
	)
	if err != nil {
		return nil, err
	}

	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"created":      epoch,
		"config": map[string]any{
			"Entrypoint":   []string{"/app"},
			"ExposedPorts": map[string]any{"8080/tcp": struct{}{}},
			"Env":          []string{"PATH=/"},
		},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hexSum(layer)}},
		"history": []any{map[string]any{"created": epoch, "created_by": "dogker lab"}},
	})
	if err != nil {
		return nil, err
	}

	name := hexSum(config) + ".json"

	manifest, err := json.Marshal([]any{map[string]any{
		"Config": name, "RepoTags": []string{Image(version)}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return nil, err
	}

	return tarOf(
		entry{name: name, mode: 0o644, content: config},
		entry{name: "layer.tar", mode: 0o644, content: layer},
		entry{name: "manifest.json", mode: 0o644, content: manifest},
	)
}

// entry is a file, or a symbolic link.
type entry struct {
	name    string
	mode    int64
	content []byte
	link    string
}

func tarOf(entries ...entry) ([]byte, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)

	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), ModTime: epoch}
		if e.link != "" {
			header = &tar.Header{Name: e.name, Typeflag: tar.TypeSymlink, Linkname: e.link, Mode: 0o777, ModTime: epoch}
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}

	return buf.Bytes(), nil
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)

	return hex.EncodeToString(sum[:])
}

// buildApp compiles the app, once per process, and once per source for all of them: the result is kept in the user's
// cache as the Go tool keeps its own.
var buildApp = sync.OnceValues(func() ([]byte, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}

	source, err := hashOfSource()
	if err != nil {
		return nil, err
	}

	file := filepath.Join(cache, "dogker-lab", "app-"+runtime.GOARCH+"-"+source)
	if app, err := os.ReadFile(file); err == nil {
		return app, nil
	}

	return compileApp(file)
})

func hashOfSource() (string, error) {
	files, err := appSource.ReadDir("app")
	if err != nil {
		return "", err
	}

	sum := sha256.New()
	for _, f := range files {
		content, err := appSource.ReadFile("app/" + f.Name())
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", f.Name(), len(content), content)
	}

	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// compileApp compiles a static binary from the source that this program was built with, wherever it runs.
func compileApp(file string) ([]byte, error) {
	src, err := os.MkdirTemp("", prefix+"-build")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(src)

	if err := os.CopyFS(src, appSource); err != nil {
		return nil, err
	}
	module := []byte("module app\n\ngo 1.26\n")
	if err := os.WriteFile(filepath.Join(src, "go.mod"), module, 0o600); err != nil {
		return nil, err
	}

	out := filepath.Join(src, "app.out")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./app")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOWORK=off", "GOFLAGS=")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("compile the app: %w: %s", err, msg)
	}

	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	if err := os.Rename(out, file); err != nil {
		// Another file system, or a cache that cannot be written: the binary is good all the same.
		return os.ReadFile(out)
	}

	return os.ReadFile(file)
}
