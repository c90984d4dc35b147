package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"github.com/containerd/errdefs"

	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/internal/voldata"
)

// volumeName is what engines call volumes.
var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$`)

// ours is the label of everything that Dogker has made, as a filter has it.
const ours = v1alpha1.SwarmLabelManaged + "=true"

// maxUsage bounds what the engine may say about its disk.
const maxUsage = 64 << 20

// oursOnly asks only for what Dogker has made.
func oursOnly(query map[string]string) error {
	return amend(query, func(s selection) error {
		if s["label"] == nil {
			s["label"] = map[string]bool{}
		}
		s["label"][ours] = true

		return nil
	})
}

// only is one value.
func only(allowed string) check {
	return func(value string) (string, error) {
		if value != allowed {
			return "", fmt.Errorf("must be %s", allowed)
		}

		return value, nil
	}
}

// ofVolumes asks for the sizes of volumes. Engines before API 1.42 measure all that they have.
func ofVolumes(query map[string]string) error {
	query["type"] = "volume"

	return nil
}

// volumesOfOurs leaves of what an engine says about its disk the volumes that Dogker has made.
func volumesOfOurs(resp *http.Response) error {
	defer resp.Body.Close()

	data, err := io.ReadAll(io.LimitReader(resp.Body, maxUsage+1))
	switch {
	case err != nil:
		return fmt.Errorf("read what it uses: %w", err)
	case len(data) > maxUsage:
		return fmt.Errorf("it says more than %d MiB about its disk", maxUsage>>20)
	}

	var said struct{ Volumes []*volume.Volume }
	if err := json.Unmarshal(data, &said); err != nil {
		return errors.New("what it uses cannot be read")
	}

	left := make([]*volume.Volume, 0, len(said.Volumes))
	for _, v := range said.Volumes {
		if v != nil && managed(v.Labels) {
			left = append(left, v)
		}
	}

	data, err = json.Marshal(struct{ Volumes []*volume.Volume }{left})
	if err != nil {
		return fmt.Errorf("write what it uses: %w", err)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(data)), int64(len(data))
	resp.Header.Set("Content-Length", strconv.Itoa(len(data)))
	resp.TransferEncoding = nil

	return nil
}

var (
	errNotOurs  = errors.New("it is not a volume that Dogker has made")
	errNoVolume = errors.New("there is no such volume on this node")
)

// volume looks one up.
func (d *Door) volume(ctx context.Context, name string) (volume.Volume, int, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	v, err := d.o.Engine.VolumeInspect(ctx, name)
	switch {
	case errdefs.IsNotFound(err):
		return v, http.StatusNotFound, errNoVolume
	case err != nil:
		return v, http.StatusBadGateway, fmt.Errorf("the engine does not answer: %w", err)
	case v.Name != name:
		return v, http.StatusForbidden, errNotOurs
	}

	return v, 0, nil
}

// admitVolume is an error for a volume that Dogker has not made, nor a mount of ours by mistake, which is to be taken away again.
// Volumes are not remembered: a name can be given again.
func (d *Door) admitVolume(ctx context.Context, name string) (int, error) {
	v, code, err := d.volume(ctx, name)
	switch {
	case err != nil:
		return code, err
	case !managed(v.Labels) && !voldata.MadeByMistake(v.Labels):
		return http.StatusForbidden, errNotOurs
	}

	return 0, nil
}

func managed(labels map[string]string) bool { return labels[v1alpha1.SwarmLabelManaged] == "true" }
