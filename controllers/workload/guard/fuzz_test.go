package guard

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/swarm"
)

// driverOf a volume, as it must be in a spec.
func driverOf(v Volume) *mount.Driver {
	if v.Driver == "" {
		return nil
	}

	return &mount.Driver{Name: v.Driver, Options: v.Options}
}

// FuzzCheck demands that no spec makes the guard panic, and that what it lets pass keeps the promises that can be read
// off the bytes alone.
func FuzzCheck(f *testing.F) {
	seed, err := json.Marshal(safe())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(bytes.ReplaceAll(seed, []byte(`"tmpfs"`), []byte(`"bind"`)))
	f.Add([]byte(`{"Mode":{"Global":{}},"TaskTemplate":{"ContainerSpec":{"Secrets":[null],"Ulimits":[null]}}}`))

	f.Fuzz(func(t *testing.T, raw []byte) {
		var spec swarm.ServiceSpec
		if json.Unmarshal(raw, &spec) != nil || Check(spec, facts()) != nil {
			return
		}

		sent, err := json.Marshal(spec)
		if err != nil || len(sent) > 256<<10 {
			t.Errorf("%d bytes, %v", len(sent), err)
		}
		if bytes.Contains(sent, []byte("{{")) {
			t.Errorf("a spec with a template passes:\n%s", sent)
		}
		for _, m := range spec.TaskTemplate.ContainerSpec.Mounts {
			v, known := facts().Volumes[m.Source]
			switch {
			case m.Type == "tmpfs" && m.Source == "" && m.VolumeOptions == nil:
			case m.Type != "volume" || !known || v.ReadOnly && !m.ReadOnly:
				t.Errorf("a mount that is not the owner's passes:\n%s", sent)
			case !reflect.DeepEqual(m.VolumeOptions.DriverConfig, driverOf(v)):
				t.Errorf("a volume is made otherwise than it was chosen:\n%s", sent)
			}
		}
		if spec.Name != "acme_web" || spec.Labels["io.dogker.uid"] != "uid-1" || spec.TaskTemplate.Networks[0].Target != "net1" {
			t.Errorf("a spec that is not the owner's passes:\n%s", sent)
		}
	})
}
