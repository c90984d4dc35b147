//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// watches: who watches what is theirs hears of it and of nothing else, though objects of the same names change beyond the
// border first.
func (b *border) watches(t *testing.T) {
	owner := b.people[0]

	watched := map[string]string{} // What is watched, by what is touched.
	for _, k := range b.kinds {
		if !k.stored() || !strings.Contains(owner.rights[k.String()], "watch") {
			continue
		}
		if k.namespaced {
			watched[k.path(b.near.name, k.usual())] = k.path(b.near.name, "") + "?"
		} else if b.named(k, b.near) == b.near.name {
			watched[k.path("", b.near.name)] = k.path("", "") + "?fieldSelector=metadata.name=" + b.near.name + "&"
		}
	}
	if len(watched) < 10 {
		t.Fatalf("only %v can be watched", watched)
	}

	for object, list := range watched {
		t.Run(strings.ReplaceAll(strings.TrimPrefix(object, "/"), "/", "_"), func(t *testing.T) {
			t.Parallel()
			beyond := strings.ReplaceAll(object, b.near.name, b.far.name)
			var page struct {
				Metadata struct{ ResourceVersion string }
			}
			code, body := b.as(t, owner, request{target: list})
			if err := json.Unmarshal([]byte(body), &page); err != nil || code != http.StatusOK {
				t.Fatalf("list: %d %s", code, body)
			}

			// Both are touched after the version from which the watch goes on, the other tenant's first.
			for i, path := range []string{beyond, object} {
				code, body := b.send(t, b.admin, request{
					method: http.MethodPatch, target: path,
					body: fmt.Sprintf(`{"metadata":{"annotations":{"example.com/touched":"%d"}}}`, i),
				})
				if code != http.StatusOK {
					t.Fatalf("touch %s: %d %s", path, code, body)
				}
			}
			code, body = b.as(t, owner, request{target: list + "watch=1&timeoutSeconds=10&resourceVersion=" + page.Metadata.ResourceVersion})
			event, _, _ := strings.Cut(body, "\n")
			if code != http.StatusOK || !strings.Contains(event, b.near.mark) {
				t.Errorf("the watch does not tell of the own object: %d %s", code, event)
			}
		})
	}
}
