package door

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/agent"
	"github.com/dogker/dogker/internal/agent/pki"
	"github.com/dogker/dogker/reconciler/telemetry"
)

func TestRefuses(t *testing.T) {
	w := newWorld(t)
	in := "/v1.41/containers/" + taskID

	cases := map[string]struct{ reason, method, path, body, says string }{
		"Create":           {"Nobody makes containers through an agent.", "POST", "/v1.41/containers/create?name=web", `{"Image":"alpine"}`, "HostConfig.Mounts"},
		"Remove":           {"Nor removes them.", "DELETE", in, "", "not a container that only mounts a volume"},
		"Images":           {"Nor looks at images.", "GET", "/v1.41/images/json", "", "not among"},
		"Secrets":          {"Nor asks the swarm.", "GET", "/v1.41/secrets", "", "not among"},
		"Archive":          {"Nor copies files out.", "GET", in + "/archive?path=/", "", "must be /volume"},
		"OtherMethod":      {"A path is allowed with its method.", "POST", in + "/json", "", "not among"},
		"Name":             {"A name may mean another container a moment later.", "GET", "/v1.41/containers/web/json", "", "not among"},
		"ShortID":          {"So may the begin of an ID.", "GET", "/v1.41/containers/aaaaaaaaaaaa/json", "", "not among"},
		"UpperCase":        {"IDs have one spelling.", "GET", "/v1.41/containers/" + strings.ToUpper(taskID) + "/json", "", "not among"},
		"OtherVersion":     {"There is no version 2.", "GET", "/v2.0/containers/json", "", "not among"},
		"Dots":             {"A path goes nowhere else.", "GET", in + "/json/../../create", "", "not written plainly"},
		"Slashes":          {"Nor is it written twice.", "GET", "/v1.41//containers/json", "", "not written plainly"},
		"Encoded":          {"Nor hidden.", "GET", "/v1.41/containers%2fcreate", "", "not written plainly"},
		"NoTask":           {"What Swarm has not started is the operator's.", "GET", "/v1.41/containers/" + plainID + "/json", "", "not a container of one of Swarm's tasks"},
		"Itself":           {"An agent opens no door to itself.", "POST", "/v1.41/containers/" + ownID + "/exec", `{"Cmd":["/dogker"]}`, "of the agent itself"},
		"Privileged":       {"A command gets no more than its container.", "POST", in + "/exec", `{"Cmd":["id"],"Privileged":true}`, "Privileged"},
		"PrivilegedSmall":  {"However it is spelt.", "POST", in + "/exec", `{"Cmd":["id"],"privileged":true}`, "Privileged"},
		"PrivilegedTwice":  {"The last one counts, here as there.", "POST", in + "/exec", `{"Cmd":["id"],"Privileged":false,"PRIVILEGED":true}`, "Privileged"},
		"User":             {"It runs as whom the container runs as.", "POST", in + "/exec", `{"Cmd":["id"],"User":"0"}`, "User"},
		"Env":              {"With its variables.", "POST", in + "/exec", `{"Cmd":["id"],"Env":["LD_PRELOAD=/x"]}`, "Env"},
		"WorkingDir":       {"Where it runs.", "POST", in + "/exec", `{"Cmd":["id"],"WorkingDir":"/proc/self/fd/7"}`, "WorkingDir"},
		"Detached":         {"Somebody sees it.", "POST", in + "/exec", `{"Cmd":["id"],"Detach":true}`, "Detach"},
		"DetachKeys":       {"Nobody leaves it alone.", "POST", in + "/exec", `{"Cmd":["id"],"DetachKeys":"a"}`, "DetachKeys"},
		"NoCommand":        {"It is a command.", "POST", in + "/exec", `{}`, "Cmd"},
		"UnknownField":     {"What we do not know the engine might.", "POST", in + "/exec", `{"Cmd":["id"],"CapAdd":["ALL"]}`, "CapAdd"},
		"TwoBodies":        {"There is one body.", "POST", in + "/exec", `{"Cmd":["id"]}{"Privileged":true}`, "after its end"},
		"LargeBody":        {"It has an end.", "POST", in + "/exec", `{"Cmd":["` + strings.Repeat("x", maxBody) + `"]}`, "more than"},
		"BodyWhereNoneIs":  {"Older engines start containers with a body.", "POST", in + "/stop", `{"Privileged":true}`, "a body is not allowed"},
		"UnknownParameter": {"What we do not know the engine might.", "GET", in + "/json?size=1", "", "size"},
		"TwiceAParameter":  {"Which of the two would count?", "GET", in + "/logs?follow=0&follow=1", "", "2 times"},
		"NoFlag":           {"The engine takes it for true.", "GET", in + "/logs?stdout=maybe", "", "true or false"},
		"LongGrace":        {"A stop comes to an end.", "POST", in + "/stop?t=99999999", "", "number from 0"},
		"OddSignal":        {"Only those that end something.", "POST", in + "/kill?signal=STOP", "", "one of TERM"},
		"DetachKeysQuery":  {"Nobody leaves it alone.", "POST", in + "/attach?stream=1&detachKeys=a", "", "detachKeys"},
		"OtherEvents":      {"Events of containers only.", "GET", `/v1.41/events?filters={"type":{"node":true}}`, "", "container"},
		"OtherFilter":      {"Filters that cannot widen.", "GET", `/v1.41/containers/json?filters={"name":{"x":true}}`, "", "filters by"},
		"OldFilter":        {"There is an older notation, which would be added to ours.", "GET", `/v1.41/containers/json?filters={"label":["x"]}`, "", "as Docker's API writes them"},
		"NoUpgrade":        {"A stream goes both ways.", "POST", in + "/attach?stream=1", "", "upgraded"},
		"OwnPath":          {"Of its own it serves what it serves.", "GET", "/dogker/v1/other", "", "not among what agents serve"},
		"DialNoPort":       {"Ports have numbers.", "POST", "/dogker/v1/dial/" + taskID + "/http", "", "from 1 to 65535"},
		"DialPortZero":     {"There is no port 0.", "POST", "/dogker/v1/dial/" + taskID + "/0", "", "from 1 to 65535"},
		"DialNoUpgrade":    {"A connection goes both ways.", "POST", "/dogker/v1/dial/" + taskID + "/80", "", "upgraded"},
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

	if code, _ := w.ask(t, "GET", "/v1.41/containers/"+strings.Repeat("9", 64)+"/json", ""); code != http.StatusNotFound {
		t.Errorf("container that is gone: got %d, want 404", code)
	}
	if code, _ := w.ask(t, "GET", "/v1.41/exec/"+execID+"/json", ""); code != http.StatusNotFound {
		t.Errorf("command that somebody else has started: got %d, want 404", code)
	}
}

// TestSendsWhatItUnderstood shows what the engine is asked.
func TestSendsWhatItUnderstood(t *testing.T) {
	w := newWorld(t)
	in := "/v1.41/containers/" + taskID
	labelled := "%7B%22label%22%3A%7B%22com.docker.swarm.task.id%22%3Atrue%7D"

	cases := map[string]struct{ method, path, body, want string }{
		"Ping":    {"GET", "/_ping", "", "GET /_ping"},
		"List":    {"GET", "/v1.41/containers/json?all=TRUE", "", "GET /v1.41/containers/json?all=1&filters=" + labelled + "%7D"},
		"Inspect": {"GET", in + "/json", "", "GET " + in + "/json"},
		"Stats":   {"GET", in + "/stats?stream=0&one-shot=1", "", "GET " + in + "/stats?one-shot=1&stream=0"},
		"Logs":    {"GET", in + "/logs?stdout=1&tail=10&since=1700000000.5", "", "GET " + in + "/logs?since=1700000000.5&stdout=1&tail=10"},
		"Stop":    {"POST", in + "/stop?t=10", "", "POST " + in + "/stop?t=10"},
		"Kill":    {"POST", in + "/kill?signal=SIGKILL", "", "POST " + in + "/kill?signal=SIGKILL"},
		"Events": {
			"GET", "/v1.41/events?until=1700000000", "",
			"GET /v1.41/events?filters=" + labelled + "%2C%22type%22%3A%7B%22container%22%3Atrue%7D%7D&until=1700000000",
		},
		"Exec": {
			"POST", in + "/exec", `{"cmd":["a","b"],"tty":true,"AttachStdout":true,"User":""}`,
			"POST " + in + `/exec {"User":"","Privileged":false,"Tty":true,"AttachStdin":false,"AttachStderr":false,"AttachStdout":true,"DetachKeys":"","Env":null,"WorkingDir":"","Cmd":["a","b"],"Detach":false}`,
		},
		"ExecLook": {"GET", "/v1.41/exec/" + execID + "/json", "", "GET /v1.41/exec/" + execID + "/json"},
	}

	for _, name := range []string{"Ping", "List", "Inspect", "Stats", "Logs", "Stop", "Kill", "Events", "Exec", "ExecLook"} {
		tc := cases[name]
		code, says := w.ask(t, tc.method, tc.path, tc.body)
		if code >= http.StatusMultipleChoices {
			t.Errorf("%s: got %d %q", name, code, says)
		}
		if asked := w.engine.take(); len(asked) != 1 || asked[0] != tc.want {
			t.Errorf("%s: the engine was asked\n%q, want\n%q", name, asked, tc.want)
		}
	}
}

// TestDockersClient uses the door as the server does: by Docker's own client.
func TestDockersClient(t *testing.T) {
	w := newWorld(t)
	docker, err := w.client.Docker()
	if err != nil {
		t.Fatal(err)
	}
	defer docker.Close()

	made, err := docker.ContainerExecCreate(t.Context(), taskID, container.ExecOptions{Cmd: []string{"cat"}, AttachStdin: true, AttachStdout: true})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := docker.ContainerExecAttach(t.Context(), made.ID, container.ExecAttachOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Conn.Write([]byte("hello ")); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	// What comes after our own end still comes.
	if all, err := io.ReadAll(stream.Reader); err != nil || string(all) != "hello bye" {
		t.Errorf("got %q, %v, want what was sent, and what follows its end", all, err)
	}
	if _, err := docker.ContainerExecCreate(t.Context(), taskID, container.ExecOptions{Cmd: []string{"id"}, Privileged: true}); err == nil || !strings.Contains(err.Error(), "Privileged: true is not allowed") {
		t.Errorf("privileged command: got %v, want a refusal that says so", err)
	}
}

func TestDial(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		_, _ = io.Copy(io.Discard, conn) // Until the other end is done.
		fmt.Fprintf(conn, "got %s", line)
	}()
	port := uint16(l.Addr().(*net.TCPAddr).Port) //nolint:gosec // a port

	conn, err := w.client.Dial(t.Context(), taskID, port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello\n")
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(conn); err != nil || string(all) != "got hello\n" {
		t.Errorf("got %q, %v", all, err)
	}

	if _, err := w.client.Dial(t.Context(), plainID, port); err == nil || !strings.Contains(err.Error(), "not a container of one of Swarm's tasks") {
		t.Errorf("container of no task: got %v, want a refusal", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.client.Dial(t.Context(), taskID, port); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("port that nobody listens on: got %v, want an error that says so", err)
	}
}

// TestStreamsOfTenants: whoever has all streams open that there may be keeps a server from nothing that it lives by.
func TestStreamsOfTenants(t *testing.T) {
	w := newWorld(t)
	for w.door.streams.enter() {
	}
	if err := w.ring.Add(telemetry.Report{Round: 1, Agent: "me", Ended: time.Now()}); err != nil {
		t.Fatal(err)
	}

	if _, err := w.client.Dial(t.Context(), taskID, 80); err == nil || !strings.Contains(err.Error(), "there are 512 streams already") {
		t.Errorf("connection to a port: got %v, want a refusal", err)
	}
	if code, said := w.ask(t, http.MethodGet, "/containers/"+taskID+"/logs?stdout=1&follow=1", ""); code != http.StatusTooManyRequests {
		t.Errorf("log: got %d %q, want a refusal", code, said)
	}
	if code, said := w.ask(t, http.MethodGet, "/events", ""); code != http.StatusOK {
		t.Errorf("events: got %d %q, want them", code, said)
	}
	if reports, err := w.reports(t, 0, "me"); err != nil || len(reports) != 1 {
		t.Errorf("got %d reports and %v, want the one there is", len(reports), err)
	}
}

func TestReportsComeAtOnce(t *testing.T) {
	w := newWorld(t)
	got := make(chan []telemetry.Report, 1)
	failed := make(chan error, 1)
	go func() {
		reports, err := w.reports(t, 0, "me")
		failed <- err
		got <- reports
	}()
	for range 2 {
		time.Sleep(20 * time.Millisecond)
		if err := w.ring.Add(telemetry.Report{Round: w.ring.Last() + 1, Agent: "me", Ended: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if reports := <-got; len(reports) == 0 || reports[0].Round != 1 {
		t.Errorf("got %+v, want the first report as soon as it is there", reports)
	}

	// What a server remembers of another start counts for nothing.
	reports, err := w.reports(t, 99, "another")
	if err != nil || len(reports) != 2 {
		t.Errorf("got %d reports, %v, want both", len(reports), err)
	}
}

// TestStrangers: who has no certificate gets as far as the check of health, from the node itself, and is bounded.
func TestStrangers(t *testing.T) {
	w := newWorld(t)
	if err := Healthy(t.Context(), w.address, w.bundle); err != nil {
		t.Errorf("health: %v", err)
	}
	other, err := pki.NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := Healthy(t.Context(), w.address, other.Bundle()); err == nil {
		t.Error("an agent of another swarm was taken for well")
	}

	config, err := pki.HealthConfig(w.bundle)
	if err != nil {
		t.Fatal(err)
	}
	c := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	resp, err := c.Get("https://" + w.address + agent.PathAbout)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("without a certificate: got %s, want 403", resp.Status)
	}
	if !resp.Close {
		t.Error("a connection of nobody is kept")
	}
}

func isTimeout(err error) bool {
	var n net.Error

	return errors.As(err, &n) && n.Timeout()
}

func TestExecsAreBounded(t *testing.T) {
	e := execs{of: map[string]string{}}
	for i := range maxExecs + 10 {
		e.add(fmt.Sprint(i), "c")
	}
	if _, known := e.container("0"); known || len(e.of) != maxExecs || len(e.order) != maxExecs {
		t.Errorf("got %d of %d execs, and %v that the first is known", len(e.of), maxExecs, known)
	}
	resp := &http.Response{StatusCode: http.StatusCreated, Body: io.NopCloser(bytes.NewBufferString(`{"Id":"short"}`))}
	if err := e.learn(resp, "c"); err != nil {
		t.Fatal(err)
	}
	if _, known := e.container("short"); known {
		t.Error("an ID that is none was remembered")
	}
}
