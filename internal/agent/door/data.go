package door

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/volume"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/voldata"
	"github.com/dogker/dogker/internal/voldata/content"
)

// maxData bounds streams of what is in volumes. They have places of their own: copying keeps nobody from logs and sessions.
const maxData = 16

const typeTar = "application/x-tar"

// dataRules are what voldata needs, and no more: a container that is never started, with one volume of ours in it.
var dataRules = []rule{
	{method: http.MethodGet, path: "/images/" + voldata.Image + "/json"},
	{method: http.MethodPost, path: "/images/load", query: map[string]check{"quiet": flag}, body: imageBody, sends: typeTar},
	{method: http.MethodPost, path: "/volumes/create", body: newVolumeBody, admits: (*Door).admitNewVolume},
	{
		method: http.MethodPost, path: "/containers/create",
		query: map[string]check{"name": anyText}, body: asGiven, admits: (*Door).admitNewMount,
	},
	{
		method: http.MethodGet, path: "/containers/{mount}/archive",
		query: map[string]check{"path": only("/" + content.Root)}, always: given("path"), streams: always, data: true,
	},
	{
		method: http.MethodPut, path: "/containers/{mount}/archive",
		query: map[string]check{"path": only("/"), "noOverwriteDirNonDir": flag}, always: given("path"),
		streams: always, data: true, takes: true, sends: typeTar,
	},
	{method: http.MethodDelete, path: "/containers/{mount}", query: map[string]check{"force": flag}},
	{method: http.MethodPost, path: "/containers/{container}/pause", admits: (*Door).admitPause, freezes: true},
	{method: http.MethodPost, path: "/containers/{container}/unpause", admits: (*Door).admitPause, thaws: true},
}

func anyText(value string) (string, error) { return value, nil }

// asGiven leaves a body to what admits the request, which makes another one of it.
func asGiven(data []byte) ([]byte, error) { return data, nil }

// given demands a parameter.
func given(name string) func(map[string]string) error {
	return func(query map[string]string) error {
		if _, there := query[name]; !there {
			return fmt.Errorf("%s must be given", name)
		}

		return nil
	}
}

// imageBody is the image as this program makes it, whatever came: so nothing else can get to the engine, and it is one for the
// architecture of the node, which that of the server need not be.
func imageBody([]byte) ([]byte, error) { return voldata.ImageArchive() }

// tasksOrMounts asks for what belongs to tasks, or for what voldata has made. All labels that are asked for must be there, so
// that either alone is enough.
func tasksOrMounts(query map[string]string) error {
	return amend(query, func(s selection) error {
		if s["label"] == nil {
			s["label"] = map[string]bool{}
		}
		if _, mounts := s["label"][voldata.LabelHolder]; !mounts {
			s["label"][agent.TaskLabel] = true
		}

		return nil
	})
}

// newVolumeBody lets volumes be made that are directories of the engine's own, and that say who has made them. Options could make
// any directory or disk of the node a volume.
func newVolumeBody(data []byte) ([]byte, error) {
	var o volume.CreateOptions
	if err := strictly(data, &o); err != nil {
		return nil, err
	}

	switch {
	case !volumeName.MatchString(o.Name):
		return nil, fmt.Errorf("field Name: %s must match %s", printable(o.Name), volumeName)
	case o.Driver != "" && o.Driver != localDriver:
		return nil, fmt.Errorf("field Driver: %s is not allowed: it must be %s", printable(o.Driver), localDriver)
	case len(o.DriverOpts) > 0:
		return nil, errors.New("field DriverOpts: options are not allowed: they could make any directory of the node a volume")
	case o.ClusterVolumeSpec != nil:
		return nil, errors.New("field ClusterVolumeSpec: is not allowed")
	case !managed(o.Labels) || o.Labels[voldata.LabelOperation] == "" || voldata.MadeByMistake(o.Labels):
		return nil, fmt.Errorf("field Labels: must hold %s and %s", ours, voldata.LabelOperation)
	}
	for key := range o.Labels {
		if !strings.HasPrefix(key, "io.dogker.") {
			return nil, fmt.Errorf("field Labels: %s must have the prefix io.dogker", printable(key))
		}
	}

	return json.Marshal(volume.CreateOptions{Name: o.Name, Driver: localDriver, Labels: o.Labels})
}

const localDriver = "local"

// admitNewVolume is an error where there is a volume of that name that Dogker has not made: engines answer with what there is.
func (d *Door) admitNewVolume(ctx context.Context, c *call) (int, error) {
	var o volume.CreateOptions
	if err := json.Unmarshal(c.body, &o); err != nil {
		return http.StatusForbidden, err
	}
	switch code, err := d.admitVolume(ctx, o.Name); {
	case code == http.StatusNotFound:
		return 0, nil
	case code == http.StatusForbidden:
		return http.StatusConflict, fmt.Errorf("volume %s: %w", printable(o.Name), err)
	default:
		return code, err
	}
}

// admitNewMount lets a container be made that is voldata's, of its image, with a volume that Dogker has made. It is written to only
// where voldata has made it, and where that means a directory of the engine's own.
func (d *Door) admitNewMount(ctx context.Context, c *call) (int, error) {
	m, err := voldata.ParseMount(c.query["name"], c.body)
	if err != nil {
		return http.StatusForbidden, err
	}
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	image, err := d.o.Engine.ImageInspect(ctx, voldata.Image)
	switch {
	case errdefs.IsNotFound(err):
		return http.StatusNotFound, fmt.Errorf("there is no image %s on this node", voldata.Image)
	case err != nil:
		return http.StatusBadGateway, fmt.Errorf("the engine does not answer: %w", err)
	case !voldata.IsImage(image) || m.Image != image.ID:
		return http.StatusForbidden, fmt.Errorf("field Image: %s is not the ID of %s", printable(m.Image), voldata.Image)
	}

	v, code, err := d.volume(ctx, m.Volume)
	switch {
	case err != nil:
		return code, err
	case !managed(v.Labels):
		return http.StatusForbidden, errNotOurs
	case !m.ReadOnly && (v.Labels[voldata.LabelOperation] == "" || v.Driver != localDriver || len(v.Options) > 0):
		return http.StatusForbidden, errors.New("field HostConfig.Mounts.0.ReadOnly: must be true: only what was made to be filled is written to")
	}
	if c.body, err = m.Body(); err != nil {
		return http.StatusInternalServerError, err
	}

	return 0, nil
}

// admitMount is an error for a container that voldata has not made, or that was ever started. What is sent names it by its ID. What
// is left of a task that has ended may be removed as well, where the engine is not forced to: it keeps volumes from going.
func (d *Door) admitMount(ctx context.Context, c *call) (int, error) {
	t := &c.target
	ctx, cancel := context.WithTimeout(ctx, inspectPatience)
	defer cancel()

	found, err := d.o.Engine.ContainerInspect(ctx, t.mount)
	switch {
	case errdefs.IsNotFound(err):
		return http.StatusNotFound, errors.New("there is no such container on this node")
	case err != nil:
		return http.StatusBadGateway, fmt.Errorf("the engine does not answer: %w", err)
	}
	if _, forced := c.query["force"]; t.rule.method == http.MethodDelete && !forced && endedTask(found) {
		return d.admitEnded(ctx, found)
	}
	is, writes := voldata.IsMount(found)
	switch {
	case !is || !fullID.MatchString(found.ID) || found.Config.Labels[agent.TaskLabel] != "":
		return http.StatusForbidden, errors.New("it is not a container that only mounts a volume")
	case t.rule.takes && !writes:
		return http.StatusForbidden, errors.New("its volume is mounted to be read only")
	}
	t.mount = found.ID

	return 0, nil
}

// admitEnded is an error for what is left of a task that mounted no volume of ours.
func (d *Door) admitEnded(ctx context.Context, found container.InspectResponse) (int, error) {
	switch ours, err := d.mountsOurs(ctx, found.Mounts); {
	case err != nil:
		return http.StatusBadGateway, err
	case !ours:
		return http.StatusForbidden, errors.New("it mounts no volume that Dogker has made")
	}

	return 0, nil
}

// endedTask tells whether a container is what is left of a task.
func endedTask(c container.InspectResponse) bool {
	return c.ContainerJSONBase != nil && c.State != nil && c.Config != nil && fullID.MatchString(c.ID) && c.Config.Labels[agent.TaskLabel] != "" &&
		(c.State.Status == container.StateExited || c.State.Status == container.StateDead)
}
