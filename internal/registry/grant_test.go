package registry

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

func TestGrant(t *testing.T) {
	s := newShelf(t)
	plain, private := serve(t, s.handler), serve(t, basicAuth("right", s.handler))
	ghost := "sha256:" + strings.Repeat("d", 64)

	cases := map[string]struct {
		reason  string
		image   string
		secrets [][]byte
		auth    string // password in X-Registry-Auth
		class   error
	}{
		"Public":          {reason: "What everybody may have needs no credentials.", image: plain + "/team/app@" + s.app},
		"MultiPlatform":   {reason: "An index is an image as well.", image: plain + "/team/multi@" + s.multi},
		"Private":         {reason: "The tenant's own credentials open it.", image: private + "/team/app@" + s.app, secrets: [][]byte{login(private, "right")}, auth: "right"},
		"SecondOfTwo":     {reason: "Which of several works is told.", image: private + "/team/app@" + s.app, secrets: [][]byte{login(private, "wrong"), login(private, "right")}, auth: "right"},
		"TagPlaysNoPart":  {reason: "The digest is what runs, whatever a tag says today.", image: plain + "/team/app:gone@" + s.app},
		"NoCredentials":   {reason: "Somebody else's image, by a digest that has become known.", image: private + "/team/app@" + s.app, class: swarmobj.ErrRefused},
		"WrongPassword":   {reason: "Credentials that do not work are none.", image: private + "/team/app@" + s.app, secrets: [][]byte{login(private, "wrong")}, class: swarmobj.ErrRefused},
		"OthersPassword":  {reason: "Credentials for another registry stay with it.", image: private + "/team/app@" + s.app, secrets: [][]byte{login("other.example", "right")}, class: swarmobj.ErrRefused},
		"NoSuchDigest":    {reason: "The registry has never had it.", image: plain + "/team/app@" + ghost, class: swarmobj.ErrNotFound},
		"OtherRepository": {reason: "A digest counts in its own repository only.", image: plain + "/team/other@" + s.app, class: swarmobj.ErrNotFound},
		"NoDigest":        {reason: "A tag can move between question and use.", image: plain + "/team/app:1", class: swarmobj.ErrRefused},
		"Away":            {reason: "No answer is no consent.", image: "127.0.0.1:1/team/app@" + s.app, class: swarmobj.ErrUnavailable},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, Config{}).Grant(t.Context(), tc.image, tc.secrets)
			if !errors.Is(err, tc.class) || tc.class == nil && err != nil {
				t.Fatalf("%s\ngot %v, want %v", tc.reason, err, tc.class)
			}
			if tc.class != nil {
				return
			}
			if got.Reference != tc.image {
				t.Errorf("%s\ngot %s, want the image as it was named", tc.reason, got.Reference)
			}
			if password := passwordOf(t, got.Auth); password != tc.auth {
				t.Errorf("%s\nX-Registry-Auth has %q, want %q", tc.reason, password, tc.auth)
			}
		})
	}
}

// TestGrantIsRememberedByCredentials: equal questions with equal credentials share one answer for a moment; nobody gets the
// answer to somebody else's.
func TestGrantIsRememberedByCredentials(t *testing.T) {
	s := newShelf(t)
	var asked atomic.Int64
	host := serve(t, basicAuth("right", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			asked.Add(1)
		}
		s.handler.ServeHTTP(w, r)
	})))
	c := newClient(t, Config{})

	for range 3 {
		if _, err := c.Grant(t.Context(), host+"/team/app@"+s.app, [][]byte{login(host, "right")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Grant(t.Context(), host+"/team/app@"+s.app, nil); !errors.Is(err, swarmobj.ErrRefused) {
		t.Errorf("somebody without credentials: got %v, want a refusal", err)
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("the registry was asked %d times, want once", got)
	}
}
