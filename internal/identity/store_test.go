package identity

import (
	"log/slog"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func sessionEntry(version int64) Entry {
	return Entry{Key: sessionKeys + "a", Value: []byte(`{"id":"a"}`), Version: version}
}

// TestNewsInAnyOrder: what this server has done itself is not undone by older news of it.
func TestNewsInAnyOrder(t *testing.T) {
	gone := func(version int64) Entry { return Entry{Key: sessionKeys + "a", Version: version} }
	for claim, tc := range map[string]struct {
		reason string
		news   []Entry
		want   bool
	}{
		"Written":            {"It is there.", []Entry{sessionEntry(5)}, true},
		"RemovedLater":       {"It was there.", []Entry{sessionEntry(5), gone(6)}, false},
		"OldNewsOfRemoved":   {"The watch is behind what was removed here.", []Entry{gone(6), sessionEntry(5)}, false},
		"SameNewsAgain":      {"The watch brings what was written here.", []Entry{sessionEntry(5), sessionEntry(5)}, true},
		"RemovalTwice":       {"The same for removals.", []Entry{sessionEntry(5), gone(6), gone(6)}, false},
		"MadeAgain":          {"A later one is another one.", []Entry{gone(6), sessionEntry(7)}, true},
		"OldRemovalComesNow": {"The watch is behind what was made again here.", []Entry{sessionEntry(7), gone(6)}, true},
		"OfAnotherKey":       {"A record that was copied over another is nobody's.", []Entry{{Key: sessionKeys + "a", Value: []byte(`{"id":"b"}`), Version: 5}}, false},
		"Damaged":            {"What cannot be read is not in force.", []Entry{sessionEntry(5), {Key: sessionKeys + "a", Value: []byte("{"), Version: 6}}, false},
	} {
		t.Run(claim, func(t *testing.T) {
			s := NewStore(newMemory(), slog.New(slog.DiscardHandler))
			for _, e := range tc.news {
				s.mu.Lock()
				s.apply(e)
				s.mu.Unlock()
			}
			if _, _, ok := look[session](s, sessionKeys+"a"); ok != tc.want {
				t.Errorf("it is there: %v, want %v: %s", ok, tc.want, tc.reason)
			}
		})
	}
}

// TestNewsConverge: in whatever order and however often news come, what is newest holds.
func TestNewsConverge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.SliceOfN(rapid.Bool(), 1, 8).Draw(t, "written")
		var news []Entry
		for i, is := range written {
			e := Entry{Key: sessionKeys + "a", Version: int64(i + 1)}
			if is {
				e = sessionEntry(e.Version)
			}
			news = append(news, e)
		}
		again := rapid.SliceOfN(rapid.SampledFrom(news), 0, 8).Draw(t, "again")
		s := NewStore(newMemory(), discard)
		for _, e := range rapid.Permutation(append(news, again...)).Draw(t, "order") {
			s.mu.Lock()
			s.apply(e)
			s.mu.Unlock()
		}

		_, version, ok := look[session](s, sessionKeys+"a")
		if want := written[len(written)-1]; ok != want || (ok && version != int64(len(written))) {
			t.Fatalf("it is there: %v at %d, want %v at %d", ok, version, want, len(written))
		}
	})
}

// TestRelistKeepsWhatIsNewer: a list that was read before this server wrote something does not undo it.
func TestRelistKeepsWhatIsNewer(t *testing.T) {
	s := NewStore(newMemory(), slog.New(slog.DiscardHandler))
	s.changed([]Entry{sessionEntry(5), {Key: sessionKeys + "b", Value: []byte(`{"id":"b"}`), Version: 12}})
	s.changedHere(sessionKeys+"c", 13)
	s.replace([]Entry{{Key: sessionKeys + "c", Value: []byte(`{"id":"c"}`), Version: 9}}, 10)

	for key, want := range map[string]bool{"a": false, "b": true, "c": false} {
		if _, _, ok := look[session](s, sessionKeys+key); ok != want {
			t.Errorf("%s is there: %v, want %v", key, ok, want)
		}
	}
	s.forget(13)
	if len(s.gone) != 0 {
		t.Errorf("%d removals are remembered for ever", len(s.gone))
	}
}

// TestBlindServerRefuses: a server that cannot see what is revoked accepts nothing, after a while.
func TestBlindServerRefuses(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := newMemory()
		s := startServer(t, store, newCrowd())
		register(t, s, "jane")
		tokens := logIn(t, s, "jane")

		store.setDown(true)
		after(blind / 2)
		if who(t, s, tokens.AccessToken) != "jane" {
			t.Error("a short outage of the store locks everybody out")
		}
		after(blind)
		if who(t, s, tokens.AccessToken) != "" {
			t.Error("a server that sees nothing accepts tokens")
		}
		store.setDown(false)
		after(2 * retry)
		if who(t, s, tokens.AccessToken) != "jane" {
			t.Error("after the outage the token is not good")
		}
	})
}

// TestGuessesAreCheap: tokens that nobody has issued make a server ask the store at a bounded rate only.
func TestGuessesAreCheap(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		store := &counting{memory: newMemory()}
		s := startServer(t, store, newCrowd())
		a := NewAuthenticator(s)
		for range 10_000 {
			_, _, _ = a.AuthenticateToken(t.Context(), makeToken(accessToken, newID(), random(secretBytes)).text)
		}
		if store.gets > secondLooksBurst {
			t.Errorf("10,000 guesses asked the store %d times, want at most %d", store.gets, secondLooksBurst)
		}
		after(time.Second)
	})
}
