package source_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/source"
)

func TestSecretsDoNotPrint(t *testing.T) {
	const value = "hunter2"

	r := source.Request{URL: "https://git.test/a", Auth: source.Auth{Password: value, SSHIdentity: value}, AgeKeys: []source.Secret{value}}

	var logged bytes.Buffer

	slog.New(slog.NewTextHandler(&logged, nil)).Info("Building", "request", r, "password", r.Auth.Password)

	printed := []string{logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, r), fmt.Sprintf(verb, r.Auth.Password), fmt.Sprintf(verb, &r.Auth))
	}

	for _, p := range printed {
		if strings.Contains(p, value) || strings.Contains(p, fmt.Sprintf("%x", value)) {
			t.Errorf("a secret is printed: %s", p)
		}
	}

	if got := fmt.Sprint(source.Secret("")); got != "" {
		t.Errorf("no secret prints as %q, and cannot be told from one", got)
	}
}

func TestRequestTravelsAsJSON(t *testing.T) {
	for name, r := range map[string]source.Request{
		"Empty": {URL: "https://git.test/a"},
		"Full": {
			Tenant: "acme", URL: "ssh://git@git.test/a", Ref: source.Ref{SemVer: ">=1.0.0"}, Path: "apps",
			Auth:   source.Auth{SSHIdentity: "key", KnownHosts: "git.test ssh-ed25519 AAAA", CAFile: []byte("pem")},
			Verify: &source.Verify{Mode: source.VerifyTag, PGPKeys: []string{"k"}}, Ignore: "*.md",
			Substitute: map[string]string{}, AgeKeys: []source.Secret{"AGE-SECRET-KEY-1"},
			Limits: source.Limits{Time: time.Second}, AllowPrivateAddresses: true, Known: "main@sha1:0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}

			var got source.Request
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}

			// Transformed, because a secret compares as it prints.
			reveal := cmp.Transformer("reveal", source.Secret.Reveal)
			if diff := cmp.Diff(r, got, reveal); diff != "" {
				t.Errorf("it arrives otherwise than it was sent (-sent +arrived):\n%s", diff)
			}
		})
	}
}

func TestErrorSaysWhere(t *testing.T) {
	for name, tc := range map[string]struct {
		err  source.Error
		want string
	}{
		"Message":  {source.Error{Message: "it is too large"}, "it is too large"},
		"File":     {source.Error{File: "a.yaml", Message: "it is too large"}, "a.yaml: it is too large"},
		"FileLine": {source.Error{File: "a.yaml", Line: 3, Message: "it is no mapping"}, "a.yaml:3: it is no mapping"},
		"Field":    {source.Error{Field: "spec.url", Message: `"x" is no URL`}, `spec.url: "x" is no URL`},
		"All":      {source.Error{File: "a.yaml", Line: 3, Field: "metadata.name", Message: "is required"}, "a.yaml:3: metadata.name: is required"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.err.Error(); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}

	if err := error(&source.Error{Cause: context.Canceled}); !errors.Is(err, context.Canceled) {
		t.Error("the cause is not found")
	}
}

func TestLimitsAreNeverUnlimited(t *testing.T) {
	if diff := cmp.Diff(source.DefaultLimits, source.Limits{}.OrDefault()); diff != "" {
		t.Errorf("nothing said is not the default (-want +got):\n%s", diff)
	}

	got := source.Limits{Files: -1, CloneBytes: -1, Time: time.Second}.OrDefault()

	want := source.DefaultLimits
	want.Time = time.Second

	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDigestTellsObjectsApart(t *testing.T) {
	object := func(s string) source.Object { return source.Object{JSON: json.RawMessage(s)} }

	seen := map[string]int{}

	for i, objects := range [][]source.Object{
		nil, {object(`{}`)}, {object(`{}`), object(`{}`)}, {object(`{}{}`)}, {object(`[]`), object(`{}`)}, {object(`{}`), object(`[]`)},
	} {
		d := source.DigestOf(objects)
		if j, ok := seen[d]; ok {
			t.Errorf("lists %d and %d have the same digest", i, j)
		}

		seen[d] = i
	}

	moved := source.Object{File: "b.yaml", Line: 3, JSON: json.RawMessage(`{}`)}
	if source.DigestOf([]source.Object{moved}) != source.DigestOf([]source.Object{object(`{}`)}) {
		t.Error("the digest changes with the place an object comes from")
	}
}
