package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dogker/dogker/reconciler/swarmobj"
)

// tagServer answers questions for tags by itself, with count of them on pages of size.
func tagServer(count, size int, asked *atomic.Int32) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/tags/list") {
			return
		}

		asked.Add(1)

		from := 0
		_, _ = fmt.Sscanf(r.URL.Query().Get("last"), "t%d", &from)

		var page []string
		for i := from + 1; i <= min(count, from+size); i++ {
			page = append(page, fmt.Sprintf(`"t%06d"`, i))
		}

		if from+size < count {
			w.Header().Set("Link", fmt.Sprintf(`<%s?last=t%06d>; rel="next"`, r.URL.Path, from+size))
		}

		fmt.Fprintf(w, `{"name":"x","tags":[%s]}`, strings.Join(page, ","))
	})
}

func TestTagsOfARegistry(t *testing.T) {
	host := serve(t, newShelf(t).handler)

	tags, err := newClient(t, Config{}).Tags(t.Context(), host+"/team/app", nil, time.Minute)
	if err != nil || !slices.Equal(tags, []string{"1"}) {
		t.Errorf("got %q: %v", tags, err)
	}

	_, err = newClient(t, Config{}).Tags(t.Context(), host+"/team/none", nil, time.Minute)
	if want := fmt.Sprintf("list tags of %q: registry %q has no %q", host+"/team/none", host, host+"/team/none"); !errors.Is(err, swarmobj.ErrNotFound) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}

	if _, err = newClient(t, Config{}).Tags(t.Context(), host+"/team/app:1", nil, time.Minute); !errors.Is(err, swarmobj.ErrRefused) {
		t.Errorf("tags of a tag: %v", err)
	}
}

func TestTagsWithCredentials(t *testing.T) {
	host := serve(t, basicAuth("right", newShelf(t).handler))
	secret := func(password string) []byte {
		return fmt.Appendf(nil, `{"auths":{%q:{"username":"u","password":%q}}}`, host, password)
	}

	tags, err := newClient(t, Config{}).Tags(t.Context(), host+"/team/app", [][]byte{secret("wrong"), secret("right")}, time.Minute)
	if err != nil || !slices.Equal(tags, []string{"1"}) {
		t.Errorf("with the second of two: %q, %v", tags, err)
	}

	_, err = newClient(t, Config{}).Tags(t.Context(), host+"/team/app", [][]byte{secret("wrong")}, time.Minute)
	if !errors.Is(err, swarmobj.ErrRefused) || strings.Contains(err.Error(), "wrong") {
		t.Errorf("with the wrong one: %v", err)
	}
}

func TestTagsArePaged(t *testing.T) {
	cases := map[string]struct {
		reason      string
		count, size int
		asked       int32
		want        string
	}{
		"OnePage":    {"What fits is asked for once.", 3, 10, 1, ""},
		"ManyPages":  {"Pages are followed to the end.", 2500, 1000, 3, ""},
		"SmallPages": {"Registries give fewer than they are asked for.", 2500, 100, 25, ""},
		"TooMany":    {"Half a list is none.", maxTags + 1, 10_000, 6, "it has more than 50000 tags"},
		"Endless":    {"A registry that never comes to an end.", 1 << 30, 1, maxPages, "its tags are on more than 500 pages"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32

			host := serve(t, tagServer(tc.count, tc.size, &asked))
			tags, err := newClient(t, Config{}).Tags(t.Context(), host+"/a", nil, time.Minute)

			if asked.Load() != tc.asked {
				t.Errorf("%s\nasked %d times, want %d", tc.reason, asked.Load(), tc.asked)
			}

			switch {
			case tc.want == "" && (err != nil || len(tags) != tc.count || tags[0] != "t000001"):
				t.Errorf("%s\ngot %d: %v", tc.reason, len(tags), err)
			case tc.want != "" && (!errors.Is(err, swarmobj.ErrRefused) || !strings.HasSuffix(err.Error(), tc.want) || tags != nil):
				t.Errorf("%s\ngot %d: %v, want %q", tc.reason, len(tags), err, tc.want)
			}
		})
	}
}

func TestTagsOfHostileRegistries(t *testing.T) {
	answer := func(header http.Header, status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				for key, values := range header {
					w.Header()[key] = values
				}

				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			}
		})
	}

	cases := map[string]struct {
		reason string
		server http.Handler
		class  error
		says   string
		tags   []string
	}{
		"BadNames":  {"What is no tag is not passed on.", answer(nil, 200, `{"tags":["ok","../x","a b","-c","x\n","`+strings.Repeat("y", 129)+`"]}`), nil, "", []string{"ok"}},
		"Twice":     {"The same tag on two pages is one.", answer(nil, 200, `{"tags":["b","a","b"]}`), nil, "", []string{"a", "b"}},
		"Null":      {"A repository that has lost all.", answer(nil, 200, `{"tags":null}`), nil, "", nil},
		"Garbage":   {"A page where people log in is no answer.", answer(nil, 200, "<html>"), swarmobj.ErrUnavailable, "gives no list of tags that can be read", nil},
		"Elsewhere": {"A next page on another host is not followed.", answer(http.Header{"Link": {`<http://127.0.0.1:1/v2/a/tags/list>; rel="next"`}}, 200, `{"tags":["a"]}`), swarmobj.ErrUnavailable, "gives no list of tags that can be read", nil},
		"Large":     {"More than can be read.", answer(nil, 200, `{"tags":["`+strings.Repeat("y", maxAnswerBytes)+`"]}`), swarmobj.ErrUnavailable, "its answer is too large", nil},
		"TooMany":   {"Whoever asks too often is told, in words that stay the same.", answer(http.Header{"Retry-After": {"60"}}, 429, ""), swarmobj.ErrUnavailable, "has had too many requests", nil},
		"Private":   {"A private repository without credentials.", answer(nil, 401, ""), swarmobj.ErrRefused, "gives nobody", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tags, err := newClient(t, Config{}).Tags(t.Context(), serve(t, tc.server)+"/a", nil, time.Minute)
			if tc.class == nil && (err != nil || !slices.Equal(tags, tc.tags)) {
				t.Errorf("%s\ngot %q: %v", tc.reason, tags, err)
			}

			if tc.class != nil && (!errors.Is(err, tc.class) || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}
		})
	}
}

// TestTagsHonourRetryAfter: a registry that has had too many requests gets no more for as long as it says, whatever is asked for
// with the same credentials.
func TestTagsHonourRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := newClient(t, Config{})
		c.standard = roundTrips(func(r *http.Request) *http.Response {
			w := httptest.NewRecorder()
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				asked++
				w.Header().Set("Retry-After", "60")
				w.WriteHeader(http.StatusTooManyRequests)
			}

			res := w.Result()
			res.Request = r

			return res
		})

		for range 10 {
			if _, err := c.Tags(t.Context(), "registry.example/a", nil, 0); !errors.Is(err, swarmobj.ErrUnavailable) {
				t.Fatal(err)
			}

			if _, err := c.Tags(t.Context(), "registry.example/b", nil, 0); !errors.Is(err, swarmobj.ErrUnavailable) {
				t.Fatal(err)
			}

			time.Sleep(5 * time.Second)
		}

		if asked != 1 {
			t.Errorf("asked %d times within 50 seconds of a pause of 60", asked)
		}

		time.Sleep(15 * time.Second)

		if _, _ = c.Tags(t.Context(), "registry.example/a", nil, 0); asked != 2 {
			t.Errorf("asked %d times after the pause", asked)
		}
	})
}

// roundTrips is a transport in a function.
type roundTrips func(*http.Request) *http.Response

// RoundTrip implements http.RoundTripper.
func (f roundTrips) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

func TestTagsAreShared(t *testing.T) {
	var asked atomic.Int32

	host := serve(t, tagServer(3, 10, &asked))
	c := newClient(t, Config{})

	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if tags, err := c.Tags(t.Context(), host+"/a", nil, time.Minute); err != nil || len(tags) != 3 {
				t.Errorf("got %q: %v", tags, err)
			}
		})
	}

	all.Wait()

	if asked.Load() != 1 {
		t.Errorf("asked %d times for one list", asked.Load())
	}

	other := fmt.Appendf(nil, `{"auths":{%q:{"username":"u","password":"p"}}}`, host)
	if _, err := c.Tags(t.Context(), host+"/a", [][]byte{other}, time.Minute); err != nil || asked.Load() != 2 {
		t.Errorf("what one may see is not shown to another: asked %d times, %v", asked.Load(), err)
	}

	if _, err := c.Tags(t.Context(), host+"/a", nil, 0); err != nil || asked.Load() != 3 {
		t.Errorf("who wants a fresh list gets one: asked %d times, %v", asked.Load(), err)
	}
}

func TestListsAreBounded(t *testing.T) {
	l := lists{known: map[string]tagList{}}
	for i := range 3 * maxLists {
		l.remember(fmt.Sprint(i), tagList{tags: make([]string, 1000), at: time.Now()})

		if len(l.known) > maxLists || l.listed > maxListed || l.listed != 1000*len(l.known) {
			t.Fatalf("%d lists, %d tags", len(l.known), l.listed)
		}
	}
}
