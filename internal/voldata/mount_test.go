package voldata_test

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/voldata"
)

// TestMounts: what is asked of an engine is what a door makes of it, for all that two containers may differ in.
func TestMounts(t *testing.T) {
	const name = "dogker-volume-0f8fad5b-d9cb-469f-a165-70867728950e"
	for _, m := range []voldata.Mount{
		{Name: name, Image: "sha256:x", Volume: "acme_data_0", ReadOnly: true, Holder: "server-1", Until: "1700000000"},
		{Name: name, Image: "", Volume: "a.b-c_d", Holder: strings.Repeat("h", 200), Until: "0"},
	} {
		body, err := m.Body()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := voldata.ParseMount(name, body); err != nil || got != m {
			t.Errorf("got %+v and %v, want %+v", got, err, m)
		}
		if got, err := voldata.ParseMount("dogker-volume-1", body); err == nil {
			t.Errorf("by another name it is %+v", got)
		}
	}

	if is, _ := voldata.IsMount(container.InspectResponse{}); is {
		t.Error("what an engine says nothing of is taken for one")
	}
}
