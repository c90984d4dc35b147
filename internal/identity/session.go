package identity

import (
	"slices"
	"time"
)

// Lifetimes say how long tokens are good.
type Lifetimes struct {
	// Access is how long an access token is good.
	Access time.Duration
	// Session is how long a session may last, however often it is refreshed.
	Session time.Duration
	// Idle is how long a session lasts without being refreshed.
	Idle time.Duration
}

// DefaultLifetimes are fit for people at a terminal: whoever works each week logs in once a month.
var DefaultLifetimes = Lifetimes{Access: 15 * time.Minute, Session: 30 * 24 * time.Hour, Idle: 7 * 24 * time.Hour}

// leeway is how long a refresh token is good for after it was used: its answer may have been lost on the way.
const leeway = 10 * time.Second

// keptAccess is how many access tokens of a session are good at a time: the last one, and the one before, which a command
// that runs beside the one that refreshed still holds.
const keptAccess = 2

// session is what is stored of a session.
type session struct {
	ID      string `json:"id"`
	User    string `json:"user"`
	UserUID string `json:"userUID"`
	// Epoch is that of the credential it was begun with. A session of another epoch is void.
	Epoch     int64         `json:"epoch"`
	Audiences []string      `json:"audiences"`
	Begun     time.Time     `json:"begun"`
	Expires   time.Time     `json:"expires"`
	Idle      time.Time     `json:"idle"`
	Access    []accessGrant `json:"access"`
	// Family is the digest of what all refresh tokens of the session share, Refresh that of the one that is good, and
	// Previous that of the one before, which was used at Rotated.
	Family   string    `json:"family"`
	Refresh  string    `json:"refresh"`
	Previous string    `json:"previous,omitempty"`
	Rotated  time.Time `json:"rotated,omitzero"`
}

// accessGrant is an access token that is good.
type accessGrant struct {
	Hash    string    `json:"hash"`
	Expires time.Time `json:"expires"`
}

// issued are the tokens that a step of a session hands out.
type issued struct {
	access, refresh token
	accessExpires   time.Time
	sessionExpires  time.Time
}

// begin starts a session.
func begin(user, uid string, epoch int64, audiences []string, l Lifetimes, now time.Time) (session, issued) {
	s := session{
		ID: newID(), User: user, UserUID: uid, Epoch: epoch, Audiences: audiences,
		Begun: now, Expires: now.Add(l.Session),
	}
	family := random(familyBytes)
	s.Family = digest(family)

	return s.step(family, l, now)
}

// refreshVerdict is what a refresh token is found to be.
type refreshVerdict int

const (
	// refreshUnknown: it is no token of this session, or the session is over.
	refreshUnknown refreshVerdict = iota
	// refreshGood: the next tokens may be handed out.
	refreshGood
	// refreshReused: it was good once. Somebody else has it, too.
	refreshReused
)

// judge says what to make of a refresh token. That it was one of this session is known from the part that all of them
// share, so that a guess can end nobody's session.
func (s session) judge(t token, now time.Time) refreshVerdict {
	switch {
	case !same(s.Family, digest(t.family())), s.over(now):
		return refreshUnknown
	case same(s.Refresh, t.hash()):
		return refreshGood
	case same(s.Previous, t.hash()) && now.Before(s.Rotated.Add(leeway)):
		return refreshGood
	default:
		return refreshReused
	}
}

// over says whether the session has ended by itself.
func (s session) over(now time.Time) bool {
	return !now.Before(s.Expires) || !now.Before(s.Idle)
}

// step hands out the next tokens.
func (s session) step(family string, l Lifetimes, now time.Time) (session, issued) {
	out := issued{access: makeToken(accessToken, s.ID, random(secretBytes)), refresh: newRefreshToken(s.ID, family)}
	out.sessionExpires = s.Expires
	out.accessExpires = earlier(now.Add(l.Access), s.Expires)

	s.Previous, s.Refresh = s.Refresh, out.refresh.hash()
	if s.Previous != "" {
		s.Rotated = now
	}
	s.Idle = earlier(now.Add(l.Idle), s.Expires)
	s.Access = append([]accessGrant{{Hash: out.access.hash(), Expires: out.accessExpires}}, s.Access...)
	s.Access = slices.Clip(s.Access[:min(len(s.Access), keptAccess)])

	return s, out
}

// accessVerdict is what an access token is found to be.
type accessVerdict int

const (
	// accessUnknown: it is no token of this session.
	accessUnknown accessVerdict = iota
	// accessGood: its bearer is who the session says.
	accessGood
	// accessExpired: it was good once.
	accessExpired
)

// admits says what to make of an access token.
func (s session) admits(t token, now time.Time) accessVerdict {
	verdict := accessUnknown
	for _, a := range s.Access {
		if same(a.Hash, t.hash()) {
			verdict = accessExpired
			if now.Before(a.Expires) && now.Before(s.Expires) {
				verdict = accessGood
			}
		}
	}

	return verdict
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}

	return b
}
