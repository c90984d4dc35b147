package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersion(t *testing.T) {
	v := builtFrom()
	if !strings.HasPrefix(v.Kubernetes, "v1.") || strings.HasPrefix(v.Kubernetes, "v0.0.0") {
		t.Errorf("Kubernetes is %q: clients parse it, whatever flags the linker was given", v.Kubernetes)
	}

	var out bytes.Buffer
	if err := printVersions(&out, v, "json"); err != nil {
		t.Fatal(err)
	}
	var read versions
	if err := json.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(v, read); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	if err := printVersions(&out, v, "xml"); err == nil || err.Error() != `--output "xml" must be text or json` {
		t.Errorf("got %v", err)
	}
}
