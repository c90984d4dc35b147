package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Prefixes of keys.
const (
	credentialKeys = "credentials/"
	sessionKeys    = "sessions/"
	deployKeys     = "deploytokens/"
	claimKeys      = "claims/"
)

// credential is what is stored of a User's password.
type credential struct {
	User string `json:"user"`
	UID  string `json:"uid"`
	// Hash of the password.
	Hash string `json:"hash"`
	// Epoch goes up with each new password, and whenever all sessions are ended.
	Epoch   int64     `json:"epoch"`
	Changed time.Time `json:"changed"`
}

// deployGrant is what is stored of a DeployToken's token.
type deployGrant struct {
	UID       string    `json:"uid"`
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Hash      string    `json:"hash"`
	Audiences []string  `json:"audiences"`
	Issued    time.Time `json:"issued"`
	Expires   time.Time `json:"expires"`
}

// claim holds an email address for the time of one registration.
type claim struct {
	Until time.Time `json:"until"`
}

// decode reads a record; which type it has stands in its key. A record that does not belong to its key is refused, so that
// whoever can write to the store, but has not the key that encrypts it, cannot give one person another's password.
func decode(e Entry) (any, error) {
	switch {
	case strings.HasPrefix(e.Key, credentialKeys):
		return decodeAs(e, func(c credential) string { return credentialKeys + c.UID })
	case strings.HasPrefix(e.Key, sessionKeys):
		return decodeAs(e, func(s session) string { return sessionKeys + s.ID })
	case strings.HasPrefix(e.Key, deployKeys):
		return decodeAs(e, func(g deployGrant) string { return deployKeys + deployID(g.UID) })
	case strings.HasPrefix(e.Key, claimKeys):
		return decodeAs(e, func(claim) string { return e.Key })
	default:
		return nil, errors.New("it is of no known type")
	}
}

func decodeAs[T any](e Entry, keyOf func(T) string) (any, error) {
	var value T
	if err := json.Unmarshal(e.Value, &value); err != nil {
		// The error of the decoder could quote what it has read.
		return nil, fmt.Errorf("it is no %T", value)
	}
	if keyOf(value) != e.Key {
		return nil, errors.New("it belongs to another key")
	}

	return value, nil
}
