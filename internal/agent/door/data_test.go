package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/client"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/voldata"
)

const imageID = "sha256:1d9a1e5b5c0c4c8e3f8f4d0f8f1d0c1f2e3d4c5b6a79880716253443526170ff"

// mountName is what voldata calls a container.
const mountName = "dogker-volume-0f8fad5b-d9cb-469f-a165-70867728950e"

var (
	readsID   = strings.Repeat("1", 64) // A container of voldata that reads,
	writesID  = strings.Repeat("2", 64) // one that writes,
	startedID = strings.Repeat("3", 64) // one that somebody has started,
	endedID   = strings.Repeat("7", 64) // what is left of a task,
	driedID   = strings.Repeat("6", 64) // and of one that mounted no volume of ours,
	claimsID  = strings.Repeat("4", 64) // a task that has its label,
	bindsID   = strings.Repeat("5", 64) // and one that mounts a directory.
)

var mountContainers = map[string]container.InspectResponse{
	readsID: mountOf(readsID, "created", true, "volume", nil), mountName: mountOf(writesID, "created", false, "volume", nil),
	writesID: mountOf(writesID, "created", false, "volume", nil), startedID: mountOf(startedID, "exited", false, "volume", nil),
	claimsID: mountOf(claimsID, "created", false, "volume", map[string]string{agent.TaskLabel: "t"}),
	bindsID:  mountOf(bindsID, "created", false, "bind", nil),
}

func mountOf(id, status string, readOnly bool, kind mount.Type, labels map[string]string) container.InspectResponse {
	all := map[string]string{voldata.LabelHolder: "server-1"}
	for k, v := range labels {
		all[k] = v
	}

	return container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{
			ID: id, Name: "/" + mountName, State: &container.State{Status: status},
			HostConfig: &container.HostConfig{Mounts: []mount.Mount{{Type: kind, Source: ourVolume, Target: "/volume", ReadOnly: readOnly}}},
		},
		Config: &container.Config{Labels: all},
	}
}

// ImageInspect implements Engine.
func (*engine) ImageInspect(_ context.Context, ref string, _ ...client.ImageInspectOption) (image.InspectResponse, error) {
	if ref != voldata.Image {
		return image.InspectResponse{}, errdefs.ErrNotFound
	}
	i := image.InspectResponse{ID: imageID}
	// Of a tar of nothing, as the package has it.
	i.RootFS.Layers = []string{"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}

	return i, nil
}

// ContainerList implements Engine.
func (e *engine) ContainerList(context.Context, container.ListOptions) ([]container.Summary, error) {
	e.mu.Lock()
	defer e.mu.Unlock()

	return e.listed, nil
}

// ContainerUnpause implements Engine.
func (e *engine) ContainerUnpause(_ context.Context, id string) error {
	e.note("thaw " + id[:1])

	return nil
}

// newMount is what voldata asks for; change changes it.
func newMount(t *testing.T, change func(map[string]any)) string {
	t.Helper()
	data, err := voldata.Mount{Name: mountName, Image: imageID, Volume: ourVolume, ReadOnly: true, Holder: "server-1", Until: "1700000000"}.Body()
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	if err := json.Unmarshal(data, &body); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(body)
	}
	if data, err = json.Marshal(body); err != nil {
		t.Fatal(err)
	}

	return string(data)
}

// set changes one field of a body, by its path.
func set(value any, path ...any) func(map[string]any) {
	return func(body map[string]any) {
		var at any = body
		for _, key := range path[:len(path)-1] {
			switch k := key.(type) {
			case string:
				at = at.(map[string]any)[k]
			case int:
				at = at.([]any)[k]
			}
		}
		at.(map[string]any)[path[len(path)-1].(string)] = value
	}
}

// TestRefusesOtherContainers: nothing gets into a container but one volume of ours, whatever else is asked for with it.
func TestRefusesOtherContainers(t *testing.T) {
	w := newWorld(t)
	m := []any{"HostConfig", "Mounts", 0}
	on := func(field ...any) []any { return append(append([]any{}, m...), field...) }
	host := func(field string) []any { return []any{"HostConfig", field} }

	cases := map[string]struct {
		reason string
		change func(map[string]any)
		says   string
	}{
		"Image":           {"Nothing else is in it.", set("alpine", "Image"), "Image"},
		"OtherImage":      {"Not even by an ID.", set("sha256:"+strings.Repeat("0", 64), "Image"), "Image"},
		"Command":         {"It never runs.", set([]string{"/bin/sh"}, "Cmd"), "Cmd"},
		"Entrypoint":      {"Nor otherwise.", set([]string{"/bin/sh"}, "Entrypoint"), "Entrypoint"},
		"User":            {"Nobody is in it.", set("1000", "User"), "User"},
		"Env":             {"It has no variables.", set([]string{"A=b"}, "Env"), "Env"},
		"Volumes":         {"No other volume is made.", set(map[string]any{"/x": map[string]any{}}, "Volumes"), "Volumes"},
		"Label":           {"What it says of itself is ours.", set("t", "Labels", agent.TaskLabel), "Labels"},
		"NoHolder":        {"It can be swept.", set("", "Labels", voldata.LabelHolder), voldata.LabelHolder},
		"NoEnd":           {"It has an end.", set("never", "Labels", voldata.LabelUntil), voldata.LabelUntil},
		"Network":         {"It is in no network.", set(false, "NetworkDisabled"), "NetworkDisabled"},
		"HostNetwork":     {"Least of all the node's.", set("host", host("NetworkMode")...), "NetworkMode"},
		"Privileged":      {"It has no rights.", set(true, host("Privileged")...), "Privileged"},
		"PrivilegedSmall": {"However it is spelt.", set(true, host("privileged")...), "Privileged"},
		"Binds":           {"No directory of the node.", set([]string{"/:/volume"}, host("Binds")...), "Binds"},
		"VolumesFrom":     {"Nothing of another container.", set([]string{taskID}, host("VolumesFrom")...), "VolumesFrom"},
		"PidMode":         {"No processes of the node.", set("host", host("PidMode")...), "PidMode"},
		"CapAdd":          {"No capabilities.", set([]string{"ALL"}, host("CapAdd")...), "CapAdd"},
		"Devices":         {"No devices.", set([]map[string]string{{"PathOnHost": "/dev/sda"}}, host("Devices")...), "Devices"},
		"Runtime":         {"No runtime of its own.", set("other", host("Runtime")...), "Runtime"},
		"Restart":         {"It is not started again.", set(map[string]any{"Name": "always"}, host("RestartPolicy")...), "RestartPolicy"},
		"LogDriver":       {"Nothing is sent anywhere.", set(map[string]any{"Type": "gelf", "Config": map[string]string{"gelf-address": "udp://x:1"}}, host("LogConfig")...), "LogConfig"},
		"Bind":            {"A mount is a volume.", set("bind", on("Type")...), "Mounts.0.Type"},
		"BindRoot":        {"Not a directory.", set("/", on("Source")...), "Mounts.0.Source"},
		"Anonymous":       {"Of a name.", set("", on("Source")...), "Mounts.0.Source"},
		"Target":          {"At its place.", set("/etc", on("Target")...), "Mounts.0.Target"},
		"Driver":          {"As it is.", set(map[string]any{"Name": "local", "Options": map[string]string{"type": "none", "o": "bind", "device": "/"}}, on("VolumeOptions", "DriverConfig")...), "DriverConfig"},
		"Subpath":         {"As a whole.", set("../..", on("VolumeOptions", "Subpath")...), "Subpath"},
		"Copy":            {"Nothing is copied into it.", set(false, on("VolumeOptions", "NoCopy")...), "NoCopy"},
		"OwnedVolume":     {"What a mount makes is not a volume of ours.", set("true", on("VolumeOptions", "Labels", "io.dogker.managed")...), "Labels"},
		"TwoMounts":       {"There is one.", set([]any{map[string]any{"Type": "volume"}, map[string]any{"Type": "volume"}}, host("Mounts")...), "Mounts"},
		"NoMounts":        {"There is one.", set([]any{}, host("Mounts")...), "Mounts"},
		"OtherVolume":     {"What Dogker has not made is the operator's.", set(otherVolume, on("Source")...), "not a volume that Dogker has made"},
		"Mistaken":        {"What a mount has made is nobody's.", set(mistakenVolume, on("Source")...), "not a volume that Dogker has made"},
		"Write":           {"What a task has filled is only read.", set(false, on("ReadOnly")...), "ReadOnly"},
		"WriteShare":      {"What is elsewhere is not written to.", func(b map[string]any) { set(false, on("ReadOnly")...)(b); set(sharedVolume, on("Source")...)(b) }, "ReadOnly"},
		"Endpoints":       {"It is in no network.", set(map[string]any{"EndpointsConfig": map[string]any{"x": map[string]any{}}}, "NetworkingConfig"), "NetworkingConfig"},
		"UnknownField":    {"What we do not know the engine might.", set(true, "Magic"), "Magic"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w.refused(t, "POST", "/v1.41/containers/create?name="+mountName, newMount(t, tc.change), tc.says, tc.reason)
		})
	}

	for name, tc := range map[string]struct{ reason, query, body, says string }{
		"NoName":    {"It is named as voldata does.", "", newMount(t, nil), "name"},
		"OtherName": {"Not as tasks are.", "?name=web.1.x", newMount(t, nil), "name"},
		"Platform":  {"The image is of the node.", "?platform=linux&name=" + mountName, newMount(t, nil), "platform"},
		"TwoBodies": {"There is one body.", "?name=" + mountName, newMount(t, nil) + newMount(t, nil), "after its end"},
		"Twice":     {"The last one counts, here as there.", "?name=" + mountName, strings.Replace(newMount(t, nil), `"Image":"`+imageID+`"`, `"Image":"`+imageID+`","image":"alpine"`, 1), "Image"},
		"NoBody":    {"There is one.", "?name=" + mountName, "", "cannot be read"},
		"Null":      {"It says something.", "?name=" + mountName, "null", "Mounts"},
	} {
		t.Run(name, func(t *testing.T) {
			w.refused(t, "POST", "/v1.41/containers/create"+tc.query, tc.body, tc.says, tc.reason)
		})
	}

	code, _ := w.ask(t, "POST", "/v1.41/containers/create?name="+mountName, newMount(t, set("acme_gone_0123456789ab", on("Source")...)))
	if asked := w.engine.take(); code != http.StatusNotFound || len(asked) > 0 {
		t.Errorf("volume that is gone: got %d and %v, want 404: the mount would make it", code, asked)
	}
}

// refused asks, and wants a refusal that the engine knows nothing of.
func (w *world) refused(t *testing.T, method, path, body, says, reason string) {
	t.Helper()
	code, said := w.ask(t, method, path, body)
	if code != http.StatusForbidden || !strings.Contains(said, says) {
		t.Errorf("got %d %q, want 403 with %q: %s", code, said, says, reason)
	}
	if asked := w.engine.take(); len(asked) > 0 {
		t.Errorf("the engine was asked %v", asked)
	}
}

// TestRefusesData: only voldata's containers are copied of and into, only its volumes are made, and nothing is ever started.
func TestRefusesData(t *testing.T) {
	w := newWorld(t)
	made := func(more string) string {
		return `{"Name":"acme_new_0123456789ab","Labels":{"io.dogker.managed":"true","io.dogker.volume-operation":"move/1"}` + more + `}`
	}
	const in = "/v1.41/containers/"

	for name, tc := range map[string]struct{ reason, method, path, body, says string }{
		"Start":             {"They are never started.", "POST", in + readsID + "/start", "", "not among"},
		"StartByName":       {"By no name.", "POST", in + mountName + "/start", "", "not among"},
		"Rename":            {"Nor renamed.", "POST", in + readsID + "/rename?name=x", "", "not among"},
		"Update":            {"Nor changed.", "POST", in + readsID + "/update", "{}", "not among"},
		"Commit":            {"Nor made an image.", "POST", "/v1.41/commit?container=" + readsID, "", "not among"},
		"ReadTask":          {"Files of tasks are theirs.", "GET", in + taskID + "/archive?path=/volume", "", "only mounts a volume"},
		"ReadClaim":         {"A label of a tenant's makes no difference.", "GET", in + claimsID + "/archive?path=/volume", "", "only mounts a volume"},
		"ReadStarted":       {"Nor one that was started.", "GET", in + startedID + "/archive?path=/volume", "", "only mounts a volume"},
		"ReadBind":          {"Nor one that mounts a directory.", "GET", in + bindsID + "/archive?path=/volume", "", "only mounts a volume"},
		"ReadPlain":         {"Nor the operator's.", "GET", in + plainID + "/archive?path=/volume", "", "only mounts a volume"},
		"ReadRoot":          {"Only the volume is read.", "GET", in + readsID + "/archive?path=/", "", "must be /volume"},
		"ReadPart":          {"As a whole.", "GET", in + readsID + "/archive?path=/volume/../proc", "", "must be /volume"},
		"ReadNothing":       {"Which is said.", "GET", in + readsID + "/archive", "", "path must be given"},
		"Stat":              {"Nobody looks first.", "HEAD", in + readsID + "/archive?path=/volume", "", ""},
		"WriteTask":         {"Nothing is written into tasks.", "PUT", in + taskID + "/archive?path=/", "x", "only mounts a volume"},
		"WriteReader":       {"Nor into what is read.", "PUT", in + readsID + "/archive?path=/", "x", "read only"},
		"WriteElsewhere":    {"Nor elsewhere.", "PUT", in + writesID + "/archive?path=/volume", "x", "must be /"},
		"WriteOwners":       {"Owners are those of the archive.", "PUT", in + writesID + "/archive?path=/&copyUIDGID=true", "x", "copyUIDGID"},
		"WriteOverwrites":   {"A parameter has one value.", "PUT", in + writesID + "/archive?path=/&path=/etc", "x", "2 times"},
		"RemoveTask":        {"Swarm removes its tasks.", "DELETE", in + taskID + "?force=1", "", "only mounts a volume"},
		"RemoveTaskPlainly": {"Nor one that runs, whatever the engine would say.", "DELETE", in + taskID, "", "only mounts a volume"},
		"RemoveDried":       {"The others are Swarm's.", "DELETE", in + driedID, "", "mounts no volume"},
		"ForceEnded":        {"What has ended goes without force.", "DELETE", in + endedID + "?force=1", "", "only mounts a volume"},
		"RemoveItself":      {"Nobody removes the agent.", "DELETE", in + ownID + "?force=1", "", "only mounts a volume"},
		"RemovePlain":       {"Nor what is the operator's.", "DELETE", in + plainID, "", "only mounts a volume"},
		"RemoveVolumes":     {"Nor volumes with it.", "DELETE", in + readsID + "?v=1", "", "v"},
		"RemoveByName":      {"A name is one of ours, or none.", "DELETE", in + "web", "", "not among"},
		"MakeDriver":        {"Volumes are on the disk of the node.", "POST", "/v1.41/volumes/create", made(`,"Driver":"sshfs"`), "Driver"},
		"MakeBind":          {"Not any directory of it.", "POST", "/v1.41/volumes/create", made(`,"DriverOpts":{"type":"none","o":"bind","device":"/"}`), "DriverOpts"},
		"MakeBindSmall":     {"However it is spelt.", "POST", "/v1.41/volumes/create", made(`,"driveropts":{"device":"/dev/sda"}`), "DriverOpts"},
		"MakeCluster":       {"Nor of the cluster.", "POST", "/v1.41/volumes/create", made(`,"ClusterVolumeSpec":{}`), "ClusterVolumeSpec"},
		"MakeUnknown":       {"What we do not know the engine might.", "POST", "/v1.41/volumes/create", made(`,"Magic":1`), "Magic"},
		"MakeOddName":       {"A name is no path.", "POST", "/v1.41/volumes/create", made(`,"Name":"../x"`), "Name"},
		"MakeUnnamed":       {"It has a name.", "POST", "/v1.41/volumes/create", made(`,"Name":""`), "Name"},
		"MakeNobodys":       {"It says who has made it.", "POST", "/v1.41/volumes/create", made(`,"labels":{"io.dogker.managed":"true","io.dogker.volume-operation":""}`), "Labels"},
		"MakeMistaken":      {"Nothing is made by mistake.", "POST", "/v1.41/volumes/create", made(`,"labels":{"io.dogker.volume-made-by":"x"}`), "Labels"},
		"MakeLabelled":      {"And nothing else.", "POST", "/v1.41/volumes/create", made(`,"labels":{"traefik.enable":"true"}`), "prefix io.dogker"},
		"OtherImage":        {"Of images there is one.", "GET", "/v1.41/images/alpine/json", "", "not among"},
		"ImageOfOurs":       {"Of one version.", "GET", "/v1.41/images/dogker.internal/volume-data:2/json", "", "not among"},
		"LargeImage":        {"It is small.", "POST", "/v1.41/images/load?quiet=0", strings.Repeat("x", maxBody+1), "more than"},
		"Pull":              {"None is pulled.", "POST", "/v1.41/images/create?fromImage=alpine", "", "not among"},
		"Build":             {"None is built.", "POST", "/v1.41/build", "", "not among"},
		"Tag":               {"None is named otherwise.", "POST", "/v1.41/images/alpine/tag?repo=dogker.internal/volume-data&tag=1", "", "not among"},
		"PausePlain":        {"Only tasks are paused.", "POST", in + plainID + "/pause", "", "not a container of one of Swarm's tasks"},
		"PauseItself":       {"Not the agent.", "POST", in + ownID + "/pause", "", "of the agent itself"},
		"PauseDry":          {"Only those with a volume of ours.", "POST", in + dryID + "/pause", "", "mounts no volume"},
		"UnpauseDry":        {"The others are nobody's business.", "POST", in + dryID + "/unpause", "", "mounts no volume"},
		"ListAll":           {"What else runs is not told.", "GET", `/v1.41/containers/json?filters={"network":{"x":true}}`, "", "filters by"},
	} {
		t.Run(name, func(t *testing.T) { w.refused(t, tc.method, tc.path, tc.body, tc.says, tc.reason) })
	}

	other := `{"Name":"postgres","Labels":{"io.dogker.managed":"true","io.dogker.volume-operation":"move/1"}}`
	code, _ := w.ask(t, "POST", "/v1.41/volumes/create", other)
	if asked := w.engine.take(); code != http.StatusConflict || len(asked) > 0 {
		t.Errorf("volume of somebody else: got %d and %v, want 409: engines answer with what there is", code, asked)
	}
	if code, _ := w.ask(t, "GET", in+strings.Repeat("9", 64)+"/archive?path=/volume", ""); code != http.StatusNotFound {
		t.Errorf("container that is gone: got %d, want 404", code)
	}
}

// TestSendsData shows what the engine is asked for what is in volumes.
func TestSendsData(t *testing.T) {
	w := newWorld(t)
	const in = "/v1.41/containers/"
	picture, err := voldata.ImageArchive()
	if err != nil {
		t.Fatal(err)
	}
	writing := newMount(t, func(b map[string]any) {
		set(false, "HostConfig", "Mounts", 0, "ReadOnly")(b)
		set(filledVolume, "HostConfig", "Mounts", 0, "Source")(b)
	})
	sent := func(volume string, readOnly bool) string {
		data, _ := voldata.Mount{Name: mountName, Image: imageID, Volume: volume, ReadOnly: readOnly, Holder: "server-1", Until: "1700000000"}.Body()

		return "POST " + in + "create?name=" + mountName + " " + string(data)
	}

	for name, tc := range map[string]struct{ method, path, body, want string }{
		"Image": {"GET", "/v1.41/images/dogker.internal/volume-data:1/json", "", "GET /v1.41/images/dogker.internal/volume-data:1/json"},
		"Load":  {"POST", "/v1.41/images/load?quiet=0", "of another kind", strings.TrimSpace("POST /v1.41/images/load?quiet=0 " + string(picture))},
		"Make": {
			"POST", "/v1.41/volumes/create", `{"name":"acme_new_0123456789ab","Driver":"","Labels":{"io.dogker.managed":"true","io.dogker.volume-operation":"move/1"}}`,
			`POST /v1.41/volumes/create {"Driver":"local","Labels":{"io.dogker.managed":"true","io.dogker.volume-operation":"move/1"},"Name":"acme_new_0123456789ab"}`,
		},
		"Reads":        {"POST", in + "create?name=" + mountName, newMount(t, nil), sent(ourVolume, true)},
		"Writes":       {"POST", in + "create?name=" + mountName, writing, sent(filledVolume, false)},
		"Read":         {"GET", in + readsID + "/archive?path=/volume", "", "GET " + in + readsID + "/archive?path=%2Fvolume"},
		"Write":        {"PUT", in + writesID + "/archive?path=/&noOverwriteDirNonDir=true", "a tar", "PUT " + in + writesID + "/archive?noOverwriteDirNonDir=1&path=%2F a tar"},
		"Remove":       {"DELETE", in + readsID + "?force=1", "", "DELETE " + in + readsID + "?force=1"},
		"RemoveEnded":  {"DELETE", in + endedID, "", "DELETE " + in + endedID},
		"RemoveByName": {"DELETE", in + mountName + "?force=1", "", "DELETE " + in + writesID + "?force=1"},
		"List": {
			"GET", in + `json?all=1&filters={"label":{"io.dogker.volume-data":true},"volume":{"x":true}}`, "",
			"GET " + in + "json?all=1&filters=%7B%22label%22%3A%7B%22io.dogker.volume-data%22%3Atrue%7D%2C%22volume%22%3A%7B%22x%22%3Atrue%7D%7D",
		},
		"Pause":   {"POST", in + taskID + "/pause", "", "POST " + in + taskID + "/pause"},
		"Unpause": {"POST", in + taskID + "/unpause", "", "POST " + in + taskID + "/unpause"},
	} {
		t.Run(name, func(t *testing.T) {
			code, says := w.ask(t, tc.method, tc.path, tc.body)
			asked := w.engine.take()
			if code >= http.StatusMultipleChoices || len(asked) != 1 || asked[0] != tc.want {
				t.Errorf("got %d %q and the engine was asked\n%q, want\n%q", code, says, asked, tc.want)
			}
		})
	}
}

// zeros are so many bytes of nothing.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left <= 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), z.left))
	clear(p[:n])
	z.left -= int64(n)

	return n, nil
}

// TestStreams: what is in a volume is never held, however much it is, in either direction.
func TestStreams(t *testing.T) {
	w := newWorld(t)
	docker, err := w.client.Data()
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()

	const much = 192 << 20
	w.engine.much = much
	body, _, err := docker.CopyFromContainer(t.Context(), readsID, "/volume")
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, body)
	if err := errors.Join(err, body.Close()); err != nil || n != much {
		t.Errorf("read %d bytes and %v, want %d", n, err, much)
	}
	if err := docker.CopyToContainer(t.Context(), writesID, "/", &zeros{left: much}, container.CopyToContainerOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := w.engine.got.Load(); got != much {
		t.Errorf("the engine has got %d bytes, want %d", got, much)
	}

	// A stream that breaks off is no whole one, on either side.
	broken := errors.New("the source has gone")
	err = docker.CopyToContainer(t.Context(), writesID, "/", io.MultiReader(&zeros{left: 1 << 20}, brokenReader{broken}), container.CopyToContainerOptions{})
	if err == nil {
		t.Error("half a volume was taken for a whole one by who sends it")
	}
	for deadline := time.Now().Add(10 * time.Second); w.engine.cut.Load() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("half a volume was taken for a whole one by the engine")
		}
	}
}

// TestEngineEndsFirst: what an engine says that takes no more gets through, however much is still to come.
func TestEngineEndsFirst(t *testing.T) {
	w := newWorld(t)
	docker, err := w.client.Data()
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()

	w.engine.much, w.engine.full = 1, 1<<20
	for i := range 20 {
		err := docker.CopyToContainer(t.Context(), writesID, "/", &zeros{left: 64 << 20}, container.CopyToContainerOptions{})
		if err == nil || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("try %d: got %v, want what the engine has said", i, err)
		}
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// TestDataHasItsPlaces: whoever copies keeps nobody from logs, and the other way round.
func TestDataHasItsPlaces(t *testing.T) {
	w := newWorld(t)
	for w.door.data.enter() {
	}
	if code, said := w.ask(t, "GET", "/containers/"+readsID+"/archive?path=/volume", ""); code != http.StatusTooManyRequests || !strings.Contains(said, fmt.Sprint(maxData)) {
		t.Errorf("got %d %q, want a refusal", code, said)
	}
	if code, said := w.ask(t, "GET", "/containers/"+taskID+"/logs?stdout=1&follow=1", ""); code != http.StatusOK {
		t.Errorf("log: got %d %q", code, said)
	}
	w.door.data.leave()
	for w.door.streams.enter() {
	}
	if code, said := w.ask(t, "GET", "/containers/"+readsID+"/archive?path=/volume", ""); code != http.StatusOK {
		t.Errorf("got %d %q, want what is in the volume", code, said)
	}
}

func TestImageIsThatOfTheNode(t *testing.T) {
	a, err := imageBody([]byte("anything"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := voldata.ImageArchive(); err != nil || !bytes.Equal(a, b) {
		t.Errorf("it is another one (%v)", err)
	}
}
