package compose_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dogker/dogker/internal/compose"
)

// words that people write, and some that only others do.
var words = rapid.OneOf(
	rapid.SampledFrom([]string{
		"", "a", "web", "db_1", "Data", "x.y", "0", "1", "-1", "80", "8080:80", "127.0.0.1:80:80", "1-3:1-3", "53/udp", "65536", "true", "null",
		"10s", "500ms", "1h", "-5s", "64m", "1g", "99999999999g", "0.5", "1e9", "NaN", "/", "/data", "/proc/x", "/run/secrets/a", "../x", "./x:/x:ro",
		"data:/data", "/var/run/docker.sock:/s", "{{.Node.ID}}", "${A}", "${B:-c}", "$$", "host", "none", "service:web", "always", "on-failure:x",
		"node.role == manager", "node.labels.a==b", "CMD", "CMD-SHELL", "NONE", "x=y", "a b", "sha256:" + strings.Repeat("a", 64), "é", "\u0000", "😀",
	}),
	rapid.StringN(0, 80, 300),
)

// values of any shape.
func values(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		words.AsAny(), rapid.IntRange(-2, 1<<20).AsAny(), rapid.Bool().AsAny(), rapid.Float64Range(-1, 1e6).AsAny(), rapid.Just[any](nil),
	)
	if depth == 0 {
		return leaf
	}

	return rapid.OneOf(leaf, leaf,
		rapid.SliceOfN(values(depth-1), 0, 3).AsAny(),
		rapid.MapOfN(words, values(depth-1), 0, 3).AsAny(),
	)
}

// shapes are values that a field can have, so that most files are read and much of them is converted.
var shapes = map[string]*rapid.Generator[any]{
	"command":           rapid.OneOf(words.AsAny(), rapid.SliceOfN(words, 0, 4).AsAny()),
	"entrypoint":        rapid.OneOf(words.AsAny(), rapid.SliceOfN(words, 0, 4).AsAny()),
	"environment":       rapid.MapOfN(words, rapid.OneOf(words.AsAny(), rapid.Just[any](nil)), 0, 4).AsAny(),
	"labels":            rapid.MapOfN(words, words, 0, 4).AsAny(),
	"ports":             rapid.SliceOfN(rapid.SampledFrom([]any{"80", "8080:80", "8080:81", "1-3:1-3", "0:1", "127.0.0.1:1:1", "70:70/sctp", map[string]any{"target": 1, "published": "2000", "mode": "host", "name": "X"}}), 0, 4).AsAny(),
	"expose":            rapid.SliceOfN(rapid.SampledFrom([]any{"1", 80, "1-70", "9/udp", "9-1"}), 0, 3).AsAny(),
	"tmpfs":             rapid.SliceOfN(rapid.SampledFrom([]string{"/t", "/t2:size=1", "/run", "/x:mode=7777", "/y:size=x", "rel", "/z:uid=1"}), 0, 4).AsAny(),
	"volumes":           rapid.SliceOfN(rapid.SampledFrom([]any{"data:/d", "/anon", "./x:/x", "/var/run/docker.sock:/s", map[string]any{"type": "tmpfs", "target": "/m"}, map[string]any{"type": "npipe", "source": "a", "target": "/n"}}), 0, 4).AsAny(),
	"user":              words.AsAny(),
	"working_dir":       words.AsAny(),
	"hostname":          words.AsAny(),
	"container_name":    words.AsAny(),
	"stop_signal":       words.AsAny(),
	"stop_grace_period": rapid.SampledFrom([]any{"1s", "90s", "1ms", "100000h", "-3s"}),
	"scale":             rapid.SampledFrom([]any{0, 1, 5, 100000}),
	"cap_add":           rapid.SliceOfNDistinct(words, 0, 3, rapid.ID).AsAny(),
	"cap_drop":          rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"ALL", "chown", "CAP_KILL", "SYS_TIME"}), 0, 3, rapid.ID).AsAny(),
	"sysctls":           rapid.MapOfN(rapid.SampledFrom([]string{"net.ipv4.tcp_rmem", "kernel.x"}), words, 0, 2).AsAny(),
	"ulimits":           rapid.MapOfN(rapid.SampledFrom([]string{"nofile", "nproc"}), rapid.SampledFrom([]any{1, -1, 1 << 30, map[string]any{"soft": 9, "hard": 3}}), 0, 2).AsAny(),
	"healthcheck":       rapid.SampledFrom([]any{map[string]any{"test": "x"}, map[string]any{"test": []string{"CMD"}}, map[string]any{"test": []string{"NONE", "x"}}, map[string]any{"interval": "1ms"}, map[string]any{"test": []string{"CMD", "a"}, "retries": 0, "timeout": "0s"}}),
	"restart":           rapid.SampledFrom([]any{"no", "always", "unless-stopped", "on-failure", "on-failure:9999", "on-failure:x", "??"}),
	"networks":          rapid.SampledFrom([]any{[]string{"front"}, map[string]any{"front": map[string]any{"aliases": []string{"a", "B", "web"}}}, nil}),
	"depends_on":        rapid.SampledFrom([]any{[]string{"db"}, map[string]any{"db": map[string]any{"condition": "service_completed_successfully"}}}),
	"logging":           rapid.SampledFrom([]any{map[string]any{}, map[string]any{"driver": "none"}, map[string]any{"driver": "local", "options": map[string]any{"max-size": "-1", "max-file": "x"}}, map[string]any{"options": map[string]any{"max-size": "5m"}}}),
	"deploy": rapid.SampledFrom([]any{
		map[string]any{"mode": "global"}, map[string]any{"replicas": 7, "update_config": map[string]any{"parallelism": 9, "order": "x"}},
		map[string]any{"resources": map[string]any{"limits": map[string]any{"cpus": "1e30", "memory": "1"}, "reservations": map[string]any{"cpus": "3", "memory": "9g"}}},
		map[string]any{"placement": map[string]any{"constraints": []string{"a", "node.labels.a==b"}, "max_replicas_per_node": 99999}},
		map[string]any{"restart_policy": map[string]any{"delay": "0s", "window": "9999h"}}, map[string]any{"labels": map[string]any{"a/b/c": "x", "ok": "two words"}},
	}),
	"secrets": rapid.SampledFrom([]any{[]string{"s"}, []any{map[string]any{"source": "s", "target": "../x", "mode": 511, "uid": "x"}}}),
	"configs": rapid.SampledFrom([]any{[]string{"c"}, []any{map[string]any{"source": "c", "target": "/c"}, map[string]any{"source": "c", "target": "/c"}}}),
	"x-any":   values(2),
}

// file is a Compose file: mostly of fields that exist, sometimes of anything. It is JSON, which is YAML, and can hold every
// character.
func file(t *rapid.T) string {
	services := map[string]any{"db": map[string]any{"image": "db"}}
	for range rapid.IntRange(1, 3).Draw(t, "services") {
		service := map[string]any{"image": rapid.OneOf(rapid.SampledFrom([]string{"web", "r.example:5000/a/b:1", "10.0.0.1/x"}), words).Draw(t, "image")}
		for range rapid.IntRange(0, 6).Draw(t, "fields") {
			name := rapid.SampledFrom(names()).Draw(t, "field")
			service[name] = shapes[name].Draw(t, name)
		}
		if rapid.IntRange(0, 9).Draw(t, "wild") == 0 {
			service[rapid.SampledFrom(names()).Draw(t, "wild field")] = values(2).Draw(t, "wild value")
		}
		services[rapid.SampledFrom([]string{"web", "Web", "web_1", "web.1", "web-1", strings.Repeat("w", 80)}).Draw(t, "name")] = service
	}
	raw, err := json.Marshal(map[string]any{
		"services": services, "networks": map[string]any{"front": nil}, "volumes": map[string]any{"data": nil},
		"configs": map[string]any{"c": map[string]any{"content": "c"}}, "secrets": map[string]any{"s": map[string]any{"environment": "S"}},
	})
	if err != nil {
		t.Fatal(err)
	}

	return string(raw)
}

func names() []string {
	out := make([]string, 0, len(shapes))
	for name := range shapes {
		out = append(out, name)
	}

	slices.Sort(out)

	return out
}

// TestAnyFile says that whatever is read is converted to something that a server takes, that every run gives the same, and
// that nothing panics.
func TestAnyFile(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		text := file(t)
		first, report, ok := once(t, dir, text)
		if !ok {
			return
		}
		again, said, _ := once(t, dir, text)
		if again != first || said != report {
			t.Fatalf("the same file gave something else the second time:\n%s", text)
		}
		refused, err := refusals(context.Background(), []byte(first))
		if err != nil {
			t.Fatal(err)
		}
		if len(refused) > 0 {
			t.Fatalf("a server would refuse what came of\n%s\n%s", text, strings.Join(refused, "\n"))
		}
	})
}

// TestAnyText says that what is no Compose is an error and nothing worse.
func TestAnyText(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		raw, err := json.Marshal(map[string]any{"services": values(4).Draw(t, "services"), "volumes": values(2).Draw(t, "volumes"), "secrets": values(2).Draw(t, "secrets")})
		if err != nil {
			t.Fatal(err)
		}
		once(t, dir, rapid.SampledFrom([]string{string(raw), words.Draw(t, "text")}).Draw(t, "which"))
	})
}

// once loads and converts a text; false when it is no Compose file.
func once(t *rapid.T, dir, text string) (manifests, report string, ok bool) {
	path := filepath.Join(dir, "compose.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stack, err := compose.Load(context.Background(), compose.Source{Dir: dir, Environ: []string{"S=secret"}})
	if err != nil {
		if err.Error() == "" {
			t.Fatal("an error without a word")
		}
		return "", "", false
	}
	result := compose.Convert(stack, compose.Options{Namespace: "acme"})
	out, err := written(result)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Findings {
		report += fmt.Sprintln(f)
	}

	return string(out), report, true
}
