package identity

import (
	"strings"
	"testing"
	"time"
)

func TestTokens(t *testing.T) {
	access := makeToken(accessToken, newID(), random(secretBytes))
	for claim, tc := range map[string]struct {
		text string
		want bool
	}{
		"Access":       {access.text, true},
		"Refresh":      {newRefreshToken(newID(), random(familyBytes)).text, true},
		"Deploy":       {makeToken(deployToken, "0123456789abcdef", random(secretBytes)).text, true},
		"Empty":        {"", false},
		"OtherKind":    {strings.Replace(access.text, "dogkera", "dogkerx", 1), false},
		"NoSecret":     {"dogkera_abc", false},
		"EmptySecret":  {"dogkera_abc_", false},
		"EmptyID":      {"dogkera__abc", false},
		"MoreParts":    {access.text + "_x", false},
		"Path":         {"dogkera_../credentials/x_abc", false},
		"Space":        {access.text + " ", false},
		"UpperCase":    {strings.ToUpper(access.text), false},
		"Newline":      {access.text + "\n", false},
		"Long":         {"dogkera_abc_" + strings.Repeat("a", 300), false},
		"JSONWebToken": {"eyJhbGciOiJub25lIn0.e30.", false},
	} {
		if _, ok := parseToken(tc.text); ok != tc.want {
			t.Errorf("%s: %q is a token: %v, want %v", claim, tc.text, ok, tc.want)
		}
	}
}

// TestEveryAlteredTokenIsUnknown changes each character in turn.
func TestEveryAlteredTokenIsUnknown(t *testing.T) {
	now := time.Now()
	s, out := begin("jane", "uid", 1, nil, DefaultLifetimes, now)
	for i := range out.access.text {
		for _, c := range []byte("a2_") {
			if out.access.text[i] == c {
				continue
			}
			text := out.access.text[:i] + string(c) + out.access.text[i+1:]
			if altered, ok := parseToken(text); ok && s.admits(altered, now) != accessUnknown {
				t.Fatalf("%q is accepted for %q", text, out.access.text)
			}
		}
	}
	if s.admits(out.access, now) != accessGood {
		t.Error("the token itself is not good")
	}
}

func TestRefreshVerdicts(t *testing.T) {
	l := Lifetimes{Access: 15 * time.Minute, Session: 30 * 24 * time.Hour, Idle: 7 * 24 * time.Hour}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, out1 := begin("jane", "uid", 1, nil, l, start)
	second, out2 := first.step(out1.refresh.family(), l, start.Add(time.Hour))
	third, out3 := second.step(out2.refresh.family(), l, start.Add(2*time.Hour))
	_, stranger := begin("john", "uid2", 1, nil, l, start)
	forged := makeToken(refreshToken, third.ID, out3.refresh.family()+random(secretBytes))

	for claim, tc := range map[string]struct {
		reason string
		in     session
		token  token
		at     time.Time
		want   refreshVerdict
	}{
		"Current":            {"It is the one that was handed out last.", third, out3.refresh, start.Add(3 * time.Hour), refreshGood},
		"LostAnswer":         {"Whoever got no answer asks again with the one before.", third, out2.refresh, start.Add(2*time.Hour + 9*time.Second), refreshGood},
		"Reused":             {"Later than that, somebody else has it.", third, out2.refresh, start.Add(2*time.Hour + leeway), refreshReused},
		"OldestReused":       {"However old it is.", third, out1.refresh, start.Add(2*time.Hour + time.Second), refreshReused},
		"MadeOfAStolenOne":   {"Who knows the family has seen a token of it.", third, forged, start.Add(3 * time.Hour), refreshReused},
		"OfAnother":          {"A guess must not end anybody's session.", third, stranger.refresh, start.Add(3 * time.Hour), refreshUnknown},
		"AccessForRefresh":   {"An access token is no refresh token.", third, out3.access, start.Add(3 * time.Hour), refreshUnknown},
		"Idle":               {"Not used for a week.", third, out3.refresh, start.Add(2*time.Hour + l.Idle), refreshUnknown},
		"JustNotIdle":        {"Used just in time.", third, out3.refresh, start.Add(2*time.Hour + l.Idle - time.Second), refreshGood},
		"TooOld":             {"However often it is used, a month is all.", session{Family: third.Family, Refresh: third.Refresh, Expires: start, Idle: start.Add(time.Hour)}, out3.refresh, start, refreshUnknown},
		"FirstHasNoPrevious": {"An empty hash matches nothing.", first, makeToken(refreshToken, first.ID, "x"), start, refreshUnknown},
	} {
		t.Run(claim, func(t *testing.T) {
			if got := tc.in.judge(tc.token, tc.at); got != tc.want {
				t.Errorf("got %d, want %d: %s", got, tc.want, tc.reason)
			}
		})
	}
}

func TestAccessOfASession(t *testing.T) {
	l := Lifetimes{Access: 15 * time.Minute, Session: time.Hour, Idle: time.Hour}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, out1 := begin("jane", "uid", 1, nil, l, start)
	s, out2 := s.step(out1.refresh.family(), l, start.Add(5*time.Minute))
	if s.admits(out1.access, start.Add(6*time.Minute)) != accessGood || s.admits(out2.access, start.Add(6*time.Minute)) != accessGood {
		t.Error("a refresh makes the token of a command that runs beside it void")
	}
	s, out3 := s.step(out2.refresh.family(), l, start.Add(10*time.Minute))
	if s.admits(out1.access, start.Add(11*time.Minute)) != accessUnknown {
		t.Error("more than two access tokens are good")
	}
	if s.admits(out3.access, start.Add(25*time.Minute)) != accessExpired {
		t.Error("an access token does not expire")
	}
	_, last := s.step(out3.refresh.family(), l, start.Add(55*time.Minute))
	if last.accessExpires.After(start.Add(time.Hour)) {
		t.Error("an access token outlives its session")
	}
}
