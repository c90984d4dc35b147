package commitstatus

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/gitsync"
)

// Hosts that have their API or their repositories under another name.
var (
	apiHosts = map[string]string{"github.com": "api.github.com", "www.github.com": "api.github.com"}
	sshHosts = map[string]string{"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}
)

// ownCloud is the domain of GitHub's own clouds for enterprises, each of which has its API at api.NAME.ghe.com.
const ownCloud = ".ghe.com"

// apiPaths are where each API is on its host.
var apiPaths = map[gitopsv1.CommitStatusProvider]string{
	gitopsv1.StatusGitHub: "/api/v3", gitopsv1.StatusGitLab: "/api/v4", gitopsv1.StatusGitea: "/api/v1",
}

// place is the URL that a state is sent to. Errors are for whoever has written the fields: they name them, and no secrets.
func place(s gitsync.CommitState) (*url.URL, error) {
	provider := gitopsv1.CommitStatusProvider(s.Provider)
	if apiPaths[provider] == "" {
		return nil, fmt.Errorf("spec.commitStatus.provider: %q must be github, gitlab or gitea", s.Provider)
	}

	if n := len(s.Commit); strings.Trim(s.Commit, "0123456789abcdef") != "" || n != 40 && n != 64 {
		return nil, fmt.Errorf("the commit %q is no full hash", s.Commit)
	}

	repository, err := repositoryOf(s.RepositoryURL)
	if err != nil {
		return nil, fmt.Errorf("spec.url: %w", err)
	}

	base, err := baseOf(provider, s, repository)
	if err != nil {
		return nil, err
	}

	names, err := repository.names(provider, base)
	if err != nil {
		return nil, fmt.Errorf("spec.url: %w", err)
	}

	for i, name := range names {
		names[i] = url.PathEscape(name)
	}

	where := "/repos/" + strings.Join(names, "/")
	if provider == gitopsv1.StatusGitLab {
		where = "/projects/" + strings.Join(names, "%2F")
	}

	return url.Parse(base.String() + where + "/statuses/" + s.Commit)
}

// repository is where a repository is.
type repository struct {
	scheme, host string
	// segments of its path, without what belongs to the form of the URL.
	segments []string
}

// repositoryOf takes a URL apart. https://host/a/b.git, ssh://git@host:22/a/b and ssh://git@host/~/a/b all work with Git;
// the last one is no repository of a server with an API.
func repositoryOf(text string) (repository, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return repository{}, errors.New("it is no URL of a repository")
	}

	r := repository{scheme: u.Scheme, host: u.Host}

	switch u.Scheme {
	case "https", "http":
	case "ssh":
		// The port is that of ssh.
		r.scheme, r.host = "https", bracketed(u.Hostname())
		if other, ok := sshHosts[r.host]; ok {
			r.host = other
		}
	default:
		return repository{}, errors.New("its scheme must be https, http or ssh")
	}

	if u.RawQuery != "" || u.Fragment != "" {
		return repository{}, errors.New("it must not have a query or a fragment")
	}

	trimmed := strings.TrimSuffix(strings.Trim(u.EscapedPath(), "/"), ".git")
	for segment := range strings.SplitSeq(trimmed, "/") {
		name, err := url.PathUnescape(segment)
		if err != nil || name == "" || name == "." || name == ".." || name == "~" || strings.ContainsAny(name, "/\\\x00") {
			return repository{}, errors.New("its path is not that of a repository")
		}

		r.segments = append(r.segments, name)
	}

	return r, nil
}

// bracketed is a host as URLs have it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}

	return host
}

// names are those of the repository in the API: owner and name, or with GitLab those of all groups as well. What stands
// before them is where the server is installed.
func (r repository) names(provider gitopsv1.CommitStatusProvider, base *url.URL) ([]string, error) {
	names := slices.Clone(r.segments)

	if provider != gitopsv1.StatusGitLab {
		if len(names) < 2 {
			return nil, errors.New("it must end in OWNER/NAME")
		}

		return names[len(names)-2:], nil
	}

	installed := strings.Split(strings.Trim(strings.TrimSuffix(base.Path, apiPaths[provider]), "/"), "/")
	if base.Host == r.host && len(names) > len(installed) && slices.Equal(names[:len(installed)], installed) {
		names = names[len(installed):]
	}

	if len(names) < 2 {
		return nil, errors.New("it must end in GROUP/NAME")
	}

	return names, nil
}

// baseOf is the URL of the API: what the address says, or what follows from where the repository is.
func baseOf(provider gitopsv1.CommitStatusProvider, s gitsync.CommitState, r repository) (*url.URL, error) {
	if s.Address != "" {
		return baseAt(provider, s)
	}

	base := &url.URL{Scheme: r.scheme, Host: r.host}
	// Without an address it is nobody's wish that a token goes in the clear: it follows from a URL that needs none.
	if r.scheme == "http" {
		return nil, errors.New("spec.commitStatus.address: must be set when spec.url is http, because a token is sent there")
	}

	if provider == gitopsv1.StatusGitHub {
		if api, ok := apiHosts[r.host]; ok {
			base.Host = api

			return base, nil
		}

		if strings.HasSuffix(r.host, ownCloud) {
			base.Host = "api." + r.host

			return base, nil
		}
	}

	if n := len(r.segments) - 2; n > 0 && provider != gitopsv1.StatusGitLab {
		base.Path = "/" + path.Join(r.segments[:n]...)
	}

	base.Path += apiPaths[provider]

	return base, nil
}

// baseAt is what an address comes to: with the path of the API or without.
func baseAt(provider gitopsv1.CommitStatusProvider, s gitsync.CommitState) (*url.URL, error) {
	u, err := url.Parse(s.Address)

	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("spec.commitStatus.address: %q must be https://host/path", s.Address)
	case u.Scheme == "http" && !s.AllowPrivate:
		return nil, fmt.Errorf("spec.commitStatus.address: %q must be https, because a token is sent there", s.Address)
	}

	base := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}
	if provider == gitopsv1.StatusGitHub && base.Path == "" && strings.HasPrefix(base.Host, "api.") {
		return base, nil
	}

	if !strings.HasSuffix(base.Path, apiPaths[provider]) {
		base.Path += apiPaths[provider]
	}

	return base, nil
}
