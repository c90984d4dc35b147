package fetch

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/dogker/dogker/reconciler/source"
)

// endpoint is where a repository is.
type endpoint struct {
	url *url.URL
	// user is who logs in, for ssh.
	user string
	// service is what is asked of the server: uploadPack or receivePack.
	service string
}

// The services of a Git server, by the names of the programs that give and take.
const (
	uploadPack  = "git-upload-pack"
	receivePack = "git-receive-pack"
)

// host is what people know the server by.
func (e endpoint) host() string { return e.url.Hostname() }

// parseEndpoint accepts what repositories are fetched from, and nothing that Git also understands: no ext::, no file, no
// scp-like addresses, no bare paths.
func parseEndpoint(r source.Request) (endpoint, error) {
	invalid := func(message string) (endpoint, error) {
		return endpoint{}, &source.Error{Reason: source.ReasonURLInvalid, Field: "url", Message: message}
	}

	if r.URL == "" {
		return invalid("is required")
	}

	if len(r.URL) > 2048 || strings.ContainsFunc(r.URL, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }) {
		return invalid("must be at most 2048 characters, without spaces and control characters")
	}

	u, err := url.Parse(r.URL)
	if err != nil || u.Opaque != "" || u.Host == "" || u.Hostname() == "" || strings.HasPrefix(u.Hostname(), "-") {
		return invalid("must be https://host/path or ssh://user@host/path")
	}

	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return invalid("must have no query and no fragment")
	}

	if strings.ContainsFunc(u.Path, unicode.IsControl) || strings.Trim(u.Path, "/") == "" {
		return invalid("must have the path of a repository, without control characters")
	}

	e := endpoint{url: u, service: uploadPack}

	switch u.Scheme {
	case "https", "http":
		if u.User != nil {
			return invalid("must have no user name and no password: they belong into the Secret")
		}

		if u.Scheme == "http" && hasHTTPCredentials(r.Auth) {
			return invalid("must begin with https:// when there are credentials: they would be sent for everybody to read")
		}
	case "ssh":
		e.user = "git"

		if u.User != nil {
			if _, has := u.User.Password(); has {
				return invalid("must have no password: it belongs into the Secret")
			}

			e.user = u.User.Username()
		}

		if e.user == "" || strings.HasPrefix(e.user, "-") || strings.ContainsFunc(e.user, unicode.IsControl) {
			return invalid("must have a plain user name")
		}
	default:
		return invalid("must begin with https:// or ssh://")
	}

	return e, nil
}

// hasHTTPCredentials tells whether something would be sent that others must not read.
func hasHTTPCredentials(a source.Auth) bool {
	return a.Username != "" || a.Password != "" || a.BearerToken != ""
}
