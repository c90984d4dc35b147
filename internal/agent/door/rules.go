package door

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/dogker/dogker/internal/voldata"
)

// rule is one thing that may be asked of the engine.
type rule struct {
	method string
	// path without the version; {container} and {exec} stand for whole IDs, {volume} for the name of a volume of ours, and {mount}
	// for the ID or the name of a container that voldata has made.
	path string
	// query lists the parameters that are allowed, and what they may be.
	query map[string]check
	// body makes the body that is sent from the one that came; nil where there must be none.
	body func([]byte) ([]byte, error)
	// upgrades is true for what becomes a stream of bytes both ways, and streams for what may last.
	upgrades bool
	streams  func(query map[string]string) bool
	// own is true for what servers listen to all the time, and data for what is in volumes.
	own, data bool
	// takes is true where the body is a stream of any length, and sends says what is sent, if that is no JSON.
	takes bool
	sends string
	// admits judges what only the engine knows, and may make another body.
	admits func(*Door, context.Context, *call) (int, error)
	// freezes and thaws are true for what pauses a container and lets it go on.
	freezes, thaws bool
	// creates is true for what makes an exec, whose ID is in the answer.
	creates bool
	// reduces cuts what the engine answers down to what is ours.
	reduces func(*http.Response) error
	// always are parameters that are sent whatever was asked.
	always func(query map[string]string) error
}

// rules is all of it.
var rules = slices.Concat(generalRules, dataRules)

var generalRules = []rule{
	{method: http.MethodHead, path: "/_ping"},
	{method: http.MethodGet, path: "/_ping"},
	{
		method: http.MethodGet, path: "/containers/json",
		query:  map[string]check{"all": flag, "limit": number(1 << 20), "filters": filters("id", "label", "status", "volume")},
		always: tasksOrMounts,
	},
	{method: http.MethodGet, path: "/containers/{container}/json"},
	{
		method: http.MethodGet, path: "/containers/{container}/stats",
		query: map[string]check{"stream": flag, "one-shot": flag}, streams: unlessFalse("stream"),
	},
	{
		method: http.MethodGet, path: "/containers/{container}/logs",
		query: map[string]check{
			"stdout": flag, "stderr": flag, "follow": flag, "timestamps": flag, "since": moment, "until": moment, "tail": tail,
		},
		streams: always,
	},
	{
		method: http.MethodPost, path: "/containers/{container}/attach",
		query:    map[string]check{"stream": flag, "stdin": flag, "stdout": flag, "stderr": flag, "logs": flag},
		upgrades: true, streams: always,
	},
	{method: http.MethodPost, path: "/containers/{container}/resize", query: map[string]check{"h": number(1 << 16), "w": number(1 << 16)}},
	{method: http.MethodPost, path: "/containers/{container}/stop", query: map[string]check{"t": number(maxGrace), "signal": signal}},
	{method: http.MethodPost, path: "/containers/{container}/kill", query: map[string]check{"signal": signal}},
	{method: http.MethodPost, path: "/containers/{container}/exec", body: execBody, creates: true},
	{method: http.MethodPost, path: "/exec/{exec}/start", body: startBody, upgrades: true, streams: always},
	{method: http.MethodPost, path: "/exec/{exec}/resize", query: map[string]check{"h": number(1 << 16), "w": number(1 << 16)}},
	{method: http.MethodGet, path: "/exec/{exec}/json"},
	{
		method: http.MethodGet, path: "/events",
		query:   map[string]check{"since": moment, "until": moment, "filters": filters("container", "event", "label", "type")},
		always:  both(tasksOnly("label"), typed("container")),
		streams: always, own: true,
	},
	{method: http.MethodGet, path: "/volumes", query: map[string]check{"filters": filters("label")}, always: oursOnly},
	{method: http.MethodGet, path: "/volumes/{volume}"},
	{method: http.MethodDelete, path: "/volumes/{volume}"},
	{method: http.MethodGet, path: "/system/df", query: map[string]check{"type": only("volume")}, always: ofVolumes, reduces: volumesOfOurs},
}

// maxGrace is the longest that a container may be given to stop, in seconds.
const maxGrace = 3600

var (
	versionPrefix = regexp.MustCompile(`^/v1\.[1-9][0-9]?/`)
	// fullID is an ID as the engine makes it. Names and beginnings of IDs may mean another container than was meant.
	fullID = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// target is what a path names.
type target struct {
	rule *rule
	// version is the prefix of the path, such as /v1.41; it may be empty.
	version string

	container, exec, volume, mount string
}

// find looks for the rule of a request.
func find(method, path string) (target, error) {
	var t target
	if prefix := versionPrefix.FindString(path); prefix != "" {
		t.version, path = strings.TrimSuffix(prefix, "/"), path[len(prefix)-1:]
	}
	segments := strings.Split(path, "/")

	for i := range rules {
		if r := &rules[i]; r.method == method && t.match(strings.Split(r.path, "/"), segments) {
			t.rule = r
			return t, nil
		}
	}

	return t, fmt.Errorf("%s %s is not among what agents let through", method, printable(path))
}

func (t *target) match(pattern, segments []string) bool {
	if len(pattern) != len(segments) {
		return false
	}
	t.container, t.exec, t.volume, t.mount = "", "", "", ""

	for i, p := range pattern {
		switch {
		case p == "{container}" && fullID.MatchString(segments[i]):
			t.container = segments[i]
		case p == "{exec}" && fullID.MatchString(segments[i]):
			t.exec = segments[i]
		case p == "{volume}" && volumeName.MatchString(segments[i]):
			t.volume = segments[i]
		case p == "{mount}" && (fullID.MatchString(segments[i]) || voldata.IsName(segments[i])):
			t.mount = segments[i]
		case p != segments[i]:
			return false
		}
	}

	return true
}

// path is what the engine is asked for.
func (t *target) path() string {
	return t.version + strings.NewReplacer("{container}", t.container, "{exec}", t.exec, "{volume}", t.volume, "{mount}", t.mount).Replace(t.rule.path)
}

// printable is what somebody sent, fit for a message.
func printable(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "…"
	}

	return fmt.Sprintf("%q", s)
}
