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

// decode reads a record; which type it has stands in its key.
func decode(e Entry) (any, error) {
	switch {
	case strings.HasPrefix(e.Key, credentialKeys):
		return decodeAs[credential](e.Value)
	case strings.HasPrefix(e.Key, sessionKeys):
		return decodeAs[session](e.Value)
	case strings.HasPrefix(e.Key, deployKeys):
		return decodeAs[deployGrant](e.Value)
	case strings.HasPrefix(e.Key, claimKeys):
		return decodeAs[claim](e.Value)
	default:
		return nil, errors.New("it is of no known type")
	}
}

func decodeAs[T any](raw []byte) (any, error) {
	var value T
	if err := json.Unmarshal(raw, &value); err != nil {
		// The error of the decoder could quote what it has read.
		return nil, fmt.Errorf("it is no %T", value)
	}

	return value, nil
}
