package voldata

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/dogker/dogker/internal/voldata/content"
)

// Mount is all that two containers of this package may differ in. Whoever guards an engine makes one of it that is nothing else.
type Mount struct {
	// Name of the container, and Image the ID of Image.
	Name, Image string
	// Volume is what is mounted.
	Volume   string
	ReadOnly bool
	// Holder and Until are LabelHolder and LabelUntil.
	Holder, Until string
}

var (
	containerName = regexp.MustCompile(`^` + namePrefix + `[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	volumeName    = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$`)
	holderPattern = regexp.MustCompile(`^[!-~]{1,200}$`)
	untilPattern  = regexp.MustCompile(`^[0-9]{1,12}$`)
)

// request is the container.
func (m Mount) request() container.CreateRequest {
	return container.CreateRequest{
		Config: &container.Config{
			Image: m.Image,
			// Engines want to know what would be started.
			Cmd:             []string{"/never"},
			NetworkDisabled: true,
			Labels:          map[string]string{LabelHolder: m.Holder, LabelUntil: m.Until},
		},
		HostConfig: &container.HostConfig{
			NetworkMode: "none",
			LogConfig:   container.LogConfig{Type: "none"},
			Mounts: []mount.Mount{{
				Type: mount.TypeVolume, Source: m.Volume, Target: "/" + content.Root, ReadOnly: m.ReadOnly,
				VolumeOptions: &mount.VolumeOptions{NoCopy: true, Labels: map[string]string{labelMade: m.Name}},
			}},
		},
	}
}

// Body is what an engine is sent to make the container.
func (m Mount) Body() ([]byte, error) { return json.Marshal(m.request()) }

// ParseMount reads what an engine would be sent to make a container of that name. It fails, and says which field is not as this
// package has it, for everything that Body does not say.
func ParseMount(name string, body []byte) (Mount, error) {
	var asked container.CreateRequest
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil {
		return Mount{}, fmt.Errorf("the body cannot be read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Mount{}, errors.New("the body goes on after its end")
	}
	if asked.Config == nil || asked.HostConfig == nil || len(asked.HostConfig.Mounts) != 1 {
		return Mount{}, errors.New("field HostConfig.Mounts: must be one volume")
	}

	on := &asked.HostConfig.Mounts[0]
	m := Mount{
		Name: name, Image: asked.Image, Volume: on.Source, ReadOnly: on.ReadOnly,
		Holder: asked.Labels[LabelHolder], Until: asked.Labels[LabelUntil],
	}
	for _, check := range []struct {
		what, value string
		pattern     *regexp.Regexp
	}{
		{"name", m.Name, containerName},
		{"field HostConfig.Mounts.0.Source", m.Volume, volumeName},
		{"field Labels." + LabelHolder, m.Holder, holderPattern},
		{"field Labels." + LabelUntil, m.Until, untilPattern},
	} {
		if !check.pattern.MatchString(check.value) {
			return Mount{}, fmt.Errorf("%s: must match %s", check.what, check.pattern)
		}
	}
	if at, err := differing(m.request(), asked); err != nil || at != "" {
		return Mount{}, errors.Join(err, fmt.Errorf("field %s: is not that of a container that only mounts a volume", at))
	}

	return m, nil
}

// differing is the path of the first field that two requests do not have in common; empty when there is none.
func differing(a, b container.CreateRequest) (string, error) {
	var trees [2]any
	for i, r := range []container.CreateRequest{a, b} {
		data, err := json.Marshal(r)
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(data, &trees[i]); err != nil {
			return "", err
		}
	}

	return strings.TrimPrefix(differ("", trees[0], trees[1]), "."), nil
}

func differ(at string, a, b any) string {
	x, isMap := a.(map[string]any)
	y, alsoMap := b.(map[string]any)
	if isMap && alsoMap {
		for _, key := range slices.Sorted(maps.Keys(merged(x, y))) {
			if found := differ(at+"."+key, x[key], y[key]); found != "" {
				return found
			}
		}

		return ""
	}
	s, isList := a.([]any)
	t, alsoList := b.([]any)
	if isList && alsoList && len(s) == len(t) {
		for i := range s {
			if found := differ(at+"."+strconv.Itoa(i), s[i], t[i]); found != "" {
				return found
			}
		}

		return ""
	}
	if !reflect.DeepEqual(a, b) {
		return at
	}

	return ""
}

func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	maps.Copy(out, b)

	return out
}

// IsName tells whether containers of this package are called so.
func IsName(name string) bool { return containerName.MatchString(name) }

// IsMount tells whether a container is one of this package: never started, and with nothing but one volume. writes is whether the
// volume can be written to.
func IsMount(c container.InspectResponse) (is, writes bool) {
	if c.Config == nil || c.ContainerJSONBase == nil || c.HostConfig == nil || c.State == nil || c.State.Status != container.StateCreated ||
		c.Config.Labels[LabelHolder] == "" || !containerName.MatchString(strings.TrimPrefix(c.Name, "/")) || len(c.HostConfig.Mounts) != 1 {
		return false, false
	}
	on := &c.HostConfig.Mounts[0]

	return on.Type == mount.TypeVolume && on.Target == "/"+content.Root, !on.ReadOnly
}
