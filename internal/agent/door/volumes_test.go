package door

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/voldata"
)

// Volumes that the engine of tests has: one that Dogker has made, and one of somebody else's.
const (
	ourVolume   = "acme_data_0123456789ab"
	otherVolume = "postgres"
	// filledVolume was made by voldata, sharedVolume would be as well and is elsewhere, and mistakenVolume was made by a mount of it.
	filledVolume   = "acme_filled_0123456789ab"
	sharedVolume   = "acme_shared_0123456789ab"
	mistakenVolume = "acme_mistaken_0123456789ab"
)

var ourLabels = map[string]string{v1alpha1.SwarmLabelManaged: "true"}

// VolumeInspect implements Engine.
func (*engine) VolumeInspect(_ context.Context, name string) (volume.Volume, error) {
	switch name {
	case ourVolume:
		return volume.Volume{Name: name, Labels: ourLabels}, nil
	case otherVolume:
		return volume.Volume{Name: name}, nil
	case filledVolume:
		return volume.Volume{Name: name, Driver: "local", Labels: map[string]string{v1alpha1.SwarmLabelManaged: "true", voldata.LabelOperation: "move/1"}}, nil
	case sharedVolume:
		return volume.Volume{
			Name: name, Driver: "local", Labels: map[string]string{v1alpha1.SwarmLabelManaged: "true", voldata.LabelOperation: "move/1"},
			Options: map[string]string{"type": "nfs", "device": ":/export"},
		}, nil
	case mistakenVolume:
		return volume.Volume{Name: name, Labels: map[string]string{"io.dogker.volume-made-by": mountName}}, nil
	default:
		return volume.Volume{}, errdefs.ErrNotFound
	}
}

func TestRefusesVolumesOfOthers(t *testing.T) {
	w := newWorld(t)

	cases := map[string]struct{ reason, method, path, body, says string }{
		"Create":       {"What is made says who has made it.", "POST", "/v1.41/volumes/create", `{"Name":"acme_x"}`, "field Labels"},
		"Prune":        {"Nobody removes what is not named.", "POST", "/v1.41/volumes/prune", "", "not among"},
		"Update":       {"Nobody changes them.", "PUT", "/v1.41/volumes/" + ourVolume, "", "not among"},
		"Others":       {"What Dogker has not made is the operator's.", "DELETE", "/v1.41/volumes/" + otherVolume, "", "not a volume that Dogker has made"},
		"LookAtOthers": {"Nor is it looked at.", "GET", "/v1.41/volumes/" + otherVolume, "", "not a volume that Dogker has made"},
		"Force":        {"The engine's own doubts count.", "DELETE", "/v1.41/volumes/" + ourVolume + "?force=1", "", "force"},
		"Path":         {"A name is no path.", "DELETE", "/v1.41/volumes/..", "", "not written plainly"},
		"OddName":      {"A name begins with a letter or digit.", "DELETE", "/v1.41/volumes/-x", "", "not among"},
		"OtherFilter":  {"Filters that cannot widen.", "GET", `/v1.41/volumes?filters={"driver":{"x":true}}`, "", "filters by"},
		"OtherUsage":   {"Images are nobody's business.", "GET", "/v1.42/system/df?type=image", "", "must be volume"},
		"Body":         {"There is none.", "DELETE", "/v1.41/volumes/" + ourVolume, "{}", "a body is not allowed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			code, says := w.ask(t, tc.method, tc.path, tc.body)
			if code != http.StatusForbidden || !strings.Contains(says, tc.says) {
				t.Errorf("got %d %q, want 403 with %q: %s", code, says, tc.says, tc.reason)
			}
			if asked := w.engine.take(); len(asked) > 0 {
				t.Errorf("the engine was asked %v", asked)
			}
		})
	}

	if code, _ := w.ask(t, "DELETE", "/v1.41/volumes/acme_gone_0123456789ab", ""); code != http.StatusNotFound {
		t.Errorf("volume that is gone: got %d, want 404", code)
	}
}

func TestAsksForOurVolumes(t *testing.T) {
	w := newWorld(t)
	ours := "%7B%22label%22%3A%7B%22io.dogker.managed%3Dtrue%22%3Atrue"

	cases := map[string]struct{ method, path, want string }{
		"List":       {"GET", "/v1.41/volumes", "GET /v1.41/volumes?filters=" + ours + "%7D%7D"},
		"ListByMore": {"GET", `/v1.41/volumes?filters={"label":{"io.dogker.tenant=acme":true}}`, "GET /v1.41/volumes?filters=" + ours + "%2C%22io.dogker.tenant%3Dacme%22%3Atrue%7D%7D"},
		"Look":       {"GET", "/v1.41/volumes/" + ourVolume, "GET /v1.41/volumes/" + ourVolume},
		"Remove":     {"DELETE", "/v1.41/volumes/" + ourVolume, "DELETE /v1.41/volumes/" + ourVolume},
		"Mistaken":   {"DELETE", "/v1.41/volumes/" + mistakenVolume, "DELETE /v1.41/volumes/" + mistakenVolume},
		"Usage":      {"GET", "/v1.41/system/df", "GET /v1.41/system/df?type=volume"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			code, says := w.ask(t, tc.method, tc.path, "")
			asked := w.engine.take()
			if code >= http.StatusMultipleChoices || len(asked) != 1 || asked[0] != tc.want {
				t.Errorf("got %d %q and the engine was asked %q, want %q", code, says, asked, tc.want)
			}
		})
	}
}

// TestUsageIsOfOurs: what else is on the disk of a node is not told.
func TestUsageIsOfOurs(t *testing.T) {
	said := `{"LayersSize":7,"Images":[{"Id":"sha256:x"}],"Containers":[{"Id":"y"}],"Volumes":[null,` +
		`{"Name":"postgres","UsageData":{"Size":5}},` +
		`{"Name":"acme_data_0123456789ab","Labels":{"io.dogker.managed":"true"},"UsageData":{"Size":42,"RefCount":1}}]}`
	resp := &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader(said))}
	if err := volumesOfOurs(resp); err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if !strings.Contains(text, `"Size":42`) || strings.Contains(text, "postgres") || strings.Contains(text, "sha256") || strings.Contains(text, "Containers") {
		t.Errorf("got %s", text)
	}
	if resp.ContentLength != int64(len(data)) {
		t.Errorf("it is said to have %d bytes and has %d", resp.ContentLength, len(data))
	}

	resp = &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader("<html>"))}
	if err := volumesOfOurs(resp); err == nil {
		t.Error("what is no answer is passed on")
	}
}
