package etcd

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := Open(ctx, Config{Dir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}

	return s
}

func TestOpen(t *testing.T) {
	for name, dir := range map[string]string{
		"Shallow": "etcd",
		"Deep":    strings.Repeat("deep/", 30) + "etcd",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), dir)
			s := open(t, dir)
			if _, err := s.Client.Put(t.Context(), "k", "v"); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}

			s = open(t, dir)
			defer s.Close()
			if err := s.Healthy(t.Context()); err != nil {
				t.Error(err)
			}
			got, err := s.Client.Get(t.Context(), "k")
			if err != nil || len(got.Kvs) != 1 || string(got.Kvs[0].Value) != "v" {
				t.Errorf("after a restart: %v, %v", got, err)
			}
		})
	}
}

// TestUnreachable: a store that does not answer is named in the error.
func TestUnreachable(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Config{Endpoints: []string{"http://127.0.0.1:1"}, Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}

func TestAdopt(t *testing.T) {
	keys := map[string]string{"authority": "a", "token key": "t"}
	other := map[string]string{"authority": "a", "token key": "changed"}
	cases := map[string]struct {
		reason string
		stored *Marker
		mine   Marker
		known  string
		shared bool
		want   Adoption
		err    string
	}{
		"FirstStart": {
			reason: "An empty store becomes that of the first server.",
			mine:   Marker{Cluster: "new", Keys: keys},
			want:   Adoption{Cluster: "new"},
		},
		"SecondServer": {
			reason: "A server that shares the keys joins the cluster that is there.",
			stored: &Marker{Cluster: "old", Keys: keys},
			mine:   Marker{Cluster: "new", Keys: keys},
			want:   Adoption{Cluster: "old"},
		},
		"Restart": {
			reason: "A server finds its own data.",
			stored: &Marker{Cluster: "old", Keys: keys},
			mine:   Marker{Cluster: "new", Keys: keys},
			known:  "old",
			want:   Adoption{Cluster: "old"},
		},
		"LostStore": {
			reason: "An empty store in place of a full one is a loss, not a beginning.",
			mine:   Marker{Cluster: "new", Keys: keys},
			known:  "old",
			err:    "etcd is empty",
		},
		"OtherCluster": {
			reason: "The data of another cluster are not served.",
			stored: &Marker{Cluster: "other", Keys: keys},
			mine:   Marker{Cluster: "new", Keys: keys},
			known:  "old",
			err:    "data of cluster other",
		},
		"NewDigestKey": {
			reason: "Nobody else can have the old one: what hangs on it is made anew, once.",
			stored: &Marker{Cluster: "old", Keys: keys, DigestKey: "lost"},
			mine:   Marker{Cluster: "new", Keys: keys, DigestKey: "found"},
			known:  "old",
			want:   Adoption{Cluster: "old", NewDigestKey: true},
		},
		"OtherDigestKey": {
			reason: "Two servers with two keys would take turns in making everything anew.",
			stored: &Marker{Cluster: "old", Keys: keys, DigestKey: "a"},
			mine:   Marker{Cluster: "new", Keys: keys, DigestKey: "b"},
			shared: true,
			err:    "whose digest key is not the one",
		},
		"NoDigestKeyYet": {
			reason: "Where it was removed from the marker, the next server says which it is.",
			stored: &Marker{Cluster: "old", Keys: keys},
			mine:   Marker{Cluster: "new", Keys: keys, DigestKey: "b"},
			shared: true,
			want:   Adoption{Cluster: "old"},
		},
		"SameDigestKey": {
			reason: "A server that shares it joins.",
			stored: &Marker{Cluster: "old", Keys: keys, DigestKey: "a"},
			mine:   Marker{Cluster: "new", Keys: keys, DigestKey: "a"},
			shared: true,
			want:   Adoption{Cluster: "old"},
		},
		"OtherKeys": {
			reason: "Without the keys, tokens and certificates that people hold would be void.",
			stored: &Marker{Cluster: "old", Keys: keys},
			mine:   Marker{Cluster: "new", Keys: other},
			err:    "whose token key is not the one",
		},
	}

	s := open(t, t.TempDir())
	defer s.Close()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := s.Client.Delete(t.Context(), markerKey); err != nil {
				t.Fatal(err)
			}
			if tc.stored != nil {
				if _, err := createMarker(t.Context(), s.Client, *tc.stored); err != nil {
					t.Fatal(err)
				}
			}

			claim := Claim{Marker: tc.mine, Known: tc.known, Alone: !tc.shared}
			got, err := Adopt(t.Context(), s.Client, claim)

			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("%s\ngot error %v, want %q", tc.reason, err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if err != nil {
				return
			}

			// The next start finds what this one has left.
			if again, err := Adopt(t.Context(), s.Client, claim); err != nil || again != (Adoption{Cluster: got.Cluster}) {
				t.Errorf("%s\nthe next time: %+v, %v", tc.reason, again, err)
			}
		})
	}
}

// TestRace: of two servers that meet an empty store, both get the marker of the one that was first.
func TestRace(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	first, err1 := createMarker(t.Context(), s.Client, Marker{Cluster: "first"})
	second, err2 := createMarker(t.Context(), s.Client, Marker{Cluster: "second"})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if first.Cluster != "first" || second.Cluster != "first" {
		t.Errorf("they got %q and %q", first.Cluster, second.Cluster)
	}
}

func TestValidate(t *testing.T) {
	cases := map[string]struct {
		config Config
		err    string
	}{
		"Embedded":          {},
		"External":          {config: Config{Endpoints: []string{"https://a:2379"}, CAFile: "ca", CertFile: "c", KeyFile: "k"}},
		"CertWithoutKey":    {config: Config{Endpoints: []string{"https://a:2379"}, CertFile: "c"}, err: "together"},
		"FilesWithoutStore": {config: Config{CAFile: "ca"}, err: "need --etcd-endpoints"},
		"NoScheme":          {config: Config{Endpoints: []string{"a:2379"}}, err: `"a:2379" must begin with https://`},
		"PlainWithCA":       {config: Config{Endpoints: []string{"http://a:2379"}, CAFile: "ca"}, err: "must begin with https://"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tc.config.Validate()
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("got %v, want %q", err, tc.err)
			}
		})
	}
}
