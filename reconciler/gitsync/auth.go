package gitsync

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dogker/dogker/reconciler/source"
)

// Auth is what the Git server of a URL is shown, made of the entries of a Secret. The error says what is wrong with them, as the
// end of a sentence that begins with the Secret; it holds nothing of what they contain.
func Auth(url string, data map[string][]byte) (source.Auth, error) {
	if strings.HasPrefix(url, "ssh://") {
		for _, key := range []string{"identity", "known_hosts"} {
			if len(data[key]) == 0 {
				return source.Auth{}, fmt.Errorf("data[%q] is missing or empty, and ssh needs it", key)
			}
		}

		return source.Auth{
			SSHIdentity: source.Secret(data["identity"]), KnownHosts: string(data["known_hosts"]),
			SSHPassphrase: source.Secret(oneLine(data["password"])),
		}, nil
	}

	a := source.Auth{
		Username: oneLine(data["username"]), Password: source.Secret(oneLine(data["password"])),
		BearerToken: source.Secret(oneLine(data["bearerToken"])), CAFile: data["ca.crt"],
	}

	switch {
	case a.Username == "" && a.Password == "" && a.BearerToken == "" && len(a.CAFile) == 0:
		return source.Auth{}, errors.New("has none of the entries username, password, bearerToken and ca.crt")
	case (a.Username == "") != (a.Password == ""):
		return source.Auth{}, errors.New("must have both of the entries username and password, or none")
	default:
		return a, nil
	}
}

// oneLine is an entry without the end of line that files have.
func oneLine(value []byte) string { return strings.TrimRight(string(value), "\r\n") }
