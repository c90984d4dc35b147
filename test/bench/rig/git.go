package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi" //nolint:gosec // the weakness of net/http/cgi is in Go before 1.6
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// GitFlag lets tenants of a server fetch from this machine.
const GitFlag = "--git-allow-private-addresses"

// gitEnvironment keeps what this machine's users have set up out of it.
var gitEnvironment = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "HOME=/nonexistent",
	"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", "GIT_CONFIG_KEY_1=gc.auto", "GIT_CONFIG_VALUE_1=0",
	"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@example.com", "GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@example.com",
}

// Git serves repositories over http, as this machine's git does it. It lives in the benchmark, and each request is a process.
type Git struct {
	dir, url string
	http     *http.Server
}

// StartGit starts a server whose repositories are in the directory. The caller must call Close.
func StartGit(dir string) (*Git, error) {
	programs, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, fmt.Errorf("find git: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start git server: %w", err)
	}

	g := &Git{dir: dir, url: "http://" + listener.Addr().String()}
	g.http = &http.Server{ReadHeaderTimeout: time.Minute, Handler: &cgi.Handler{
		Path:       filepath.Join(strings.TrimSpace(string(programs)), "git-http-backend"),
		Env:        append([]string{"GIT_PROJECT_ROOT=" + g.served(), "GIT_HTTP_EXPORT_ALL=1"}, gitEnvironment...),
		InheritEnv: []string{"PATH"},
		Stderr:     io.Discard, // It tells of every client that hangs up.
	}}
	go func() { _ = g.http.Serve(listener) }()

	return g, nil
}

// Close ends it.
func (g *Git) Close() error {
	if err := g.http.Close(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop git server: %w", err)
	}

	return nil
}

func (g *Git) served() string { return filepath.Join(g.dir, "served") }

// Repository is one that is served, with a work tree of it.
type Repository struct {
	// URL by which it is fetched.
	URL string
	// Dir is the work tree.
	Dir string
}

// Create makes an empty repository.
func (g *Git) Create(ctx context.Context, name string) (*Repository, error) {
	bare := filepath.Join(g.served(), name+".git")
	r := &Repository{URL: g.url + "/" + name + ".git", Dir: filepath.Join(g.dir, "work", name)}
	for _, dir := range []string{bare, r.Dir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}

	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch", "main", bare},
		{"init", "--quiet", "--initial-branch", "main"},
		{"remote", "add", "origin", bare},
	} {
		if _, err := r.git(ctx, args...); err != nil {
			return nil, err
		}
	}

	return r, nil
}

// Commit commits what is in the work tree, and returns the hash.
func (r *Repository) Commit(ctx context.Context) (string, error) {
	if _, err := r.git(ctx, "add", "--all"); err != nil {
		return "", err
	}
	if _, err := r.git(ctx, "commit", "--quiet", "--message", "Say what runs"); err != nil {
		return "", err
	}

	return r.git(ctx, "rev-parse", "HEAD")
}

// Push gives the server what is committed.
func (r *Repository) Push(ctx context.Context) error {
	_, err := r.git(ctx, "push", "--quiet", "origin", "HEAD:main")

	return err
}

func (r *Repository) git(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = r.Dir
	cmd.Env = append(os.Environ(), gitEnvironment...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}

	return strings.TrimSpace(string(out)), nil
}

// Mute is a server that takes connections and never says anything.
type Mute struct {
	// URL of a repository there.
	URL string
	// Close ends it, and all connections.
	Close func() error
}

// StartMute starts one. The caller must call Close.
func StartMute() (*Mute, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start mute server: %w", err)
	}

	go func() {
		var taken []net.Conn
		for {
			c, err := listener.Accept()
			if err != nil {
				break
			}
			taken = append(taken, c)
		}
		for _, c := range taken {
			_ = c.Close()
		}
	}()

	return &Mute{URL: "http://" + listener.Addr().String() + "/mute.git", Close: listener.Close}, nil
}
