package commitstatus

import (
	"strings"
	"testing"

	"github.com/dogker/dogker/reconciler/gitsync"
)

const commit = "1f2e3d4c5b6a79880112233445566778899aabbc"

func TestPlace(t *testing.T) {
	for name, tc := range map[string]struct {
		reason                       string
		provider, repository, adress string
		private                      bool
		want                         string
	}{
		"GitHub":            {"Its API has a host of its own.", "github", "https://github.com/acme/web.git", "", false, "https://api.github.com/repos/acme/web"},
		"GitHubPlain":       {"The suffix may be left out.", "github", "https://github.com/acme/web", "", false, "https://api.github.com/repos/acme/web"},
		"GitHubSlash":       {"A slash at the end is none of the name.", "github", "https://github.com/acme/web/", "", false, "https://api.github.com/repos/acme/web"},
		"GitHubDots":        {"Only the last .git is the suffix.", "github", "https://github.com/acme/web.github.io.git", "", false, "https://api.github.com/repos/acme/web.github.io"},
		"GitHubUser":        {"Who fetches is no part of where.", "github", "https://someone@github.com/acme/web.git", "", false, "https://api.github.com/repos/acme/web"},
		"GitHubSSH":         {"The API is where the repository is.", "github", "ssh://git@github.com/acme/web.git", "", false, "https://api.github.com/repos/acme/web"},
		"GitHubSSHBy443":    {"GitHub's way around firewalls.", "github", "ssh://git@ssh.github.com:443/acme/web.git", "", false, "https://api.github.com/repos/acme/web"},
		"GitHubEnterprise":  {"The API is below a path.", "github", "https://git.test/acme/web.git", "", false, "https://git.test/api/v3/repos/acme/web"},
		"GitHubOwnCloud":    {"One for an enterprise at GitHub's.", "github", "https://acme.ghe.com/acme/web.git", "", false, "https://api.acme.ghe.com/repos/acme/web"},
		"GitHubAddress":     {"Without the path.", "github", "ssh://git@git.test/acme/web", "https://hub.test/", false, "https://hub.test/api/v3/repos/acme/web"},
		"GitHubAddressPath": {"With it.", "github", "ssh://git@git.test/acme/web", "https://hub.test/api/v3/", false, "https://hub.test/api/v3/repos/acme/web"},
		"GitHubAddressAPI":  {"That of a host for the API alone.", "github", "ssh://git@mirror.test/acme/web", "https://api.github.com", false, "https://api.github.com/repos/acme/web"},
		"GitLab":            {"A name is one segment.", "gitlab", "https://gitlab.com/acme/web.git", "", false, "https://gitlab.com/api/v4/projects/acme%2Fweb"},
		"GitLabGroups":      {"Groups are in groups.", "gitlab", "https://gitlab.com/acme/shop/front/web.git", "", false, "https://gitlab.com/api/v4/projects/acme%2Fshop%2Ffront%2Fweb"},
		"GitLabSSH":         {"Its port is none of https.", "gitlab", "ssh://git@gitlab.test:2222/acme/shop/web.git", "", false, "https://gitlab.test/api/v4/projects/acme%2Fshop%2Fweb"},
		"GitLabSSHBy443":    {"GitLab's way around firewalls.", "gitlab", "ssh://git@altssh.gitlab.com:443/acme/web.git", "", false, "https://gitlab.com/api/v4/projects/acme%2Fweb"},
		"GitLabPort":        {"It is the port of https.", "gitlab", "https://gitlab.test:8443/acme/web.git", "", false, "https://gitlab.test:8443/api/v4/projects/acme%2Fweb"},
		"GitLabBelow":       {"It is installed below a path.", "gitlab", "https://git.test/gitlab/acme/web.git", "https://git.test/gitlab", false, "https://git.test/gitlab/api/v4/projects/acme%2Fweb"},
		"GitLabBelowSSH":    {"The path of ssh has nothing of that.", "gitlab", "ssh://git@git.test/acme/web.git", "https://git.test/gitlab/api/v4", false, "https://git.test/gitlab/api/v4/projects/acme%2Fweb"},
		"Gitea":             {"At the same host.", "gitea", "https://git.test/acme/web.git", "", false, "https://git.test/api/v1/repos/acme/web"},
		"GiteaBelow":        {"It is installed below a path.", "gitea", "https://git.test/gitea/acme/web.git", "", false, "https://git.test/gitea/api/v1/repos/acme/web"},
		"GiteaV6":           {"An address in brackets.", "gitea", "ssh://git@[2001:db8::1]:22/acme/web.git", "", false, "https://[2001:db8::1]/api/v1/repos/acme/web"},
		"GiteaSpace":        {"Names are escaped.", "gitea", "https://git.test/acme/a%20b", "", false, "https://git.test/api/v1/repos/acme/a%20b"},
		"PlainAllowed":      {"It is wanted, in a network of one's own.", "gitea", "http://git.test:3000/acme/web.git", "http://git.test:3000", true, "http://git.test:3000/api/v1/repos/acme/web"},
		"PlainRepository":   {"A token does not follow it.", "gitea", "http://git.test/acme/web.git", "", true, "!spec.commitStatus.address: must be set when spec.url is http"},
		"PlainAddress":      {"A token would be seen.", "gitea", "https://git.test/acme/web.git", "http://git.test", false, `!spec.commitStatus.address: "http://git.test" must be https`},
		"AddressUser":       {"It has a Secret for that.", "gitea", "https://git.test/a/b", "https://me:pw@git.test", false, "!spec.commitStatus.address:"},
		"AddressQuery":      {"Something would be appended to it.", "gitea", "https://git.test/a/b", "https://git.test/?x=", false, "!spec.commitStatus.address:"},
		"NoOwner":           {"There is nobody.", "github", "https://github.com/web.git", "", false, "!spec.url: it must end in OWNER/NAME"},
		"NoGroup":           {"There is nobody.", "gitlab", "https://gitlab.com/web.git", "", false, "!spec.url: it must end in GROUP/NAME"},
		"NoPath":            {"There is nothing.", "github", "https://github.com", "", false, "!spec.url: its path"},
		"DoubleSlash":       {"A name is missing.", "github", "https://github.com/acme//web", "", false, "!spec.url: its path"},
		"Dots":              {"It would be another part of the API.", "github", "https://github.com/acme/../..", "", false, "!spec.url: its path"},
		"EscapedDots":       {"It would be another part of the API.", "gitea", "https://git.test/%2e%2e/web", "", false, "!spec.url: its path"},
		"EscapedSlash":      {"It would be another part of the API.", "gitea", "https://git.test/acme%2F..%2Fweb/x", "", false, "!spec.url: its path"},
		"Home":              {"That is no server with an API.", "gitea", "ssh://git@git.test/~/acme/web", "", false, "!spec.url: its path"},
		"Query":             {"It would be a part of the API's.", "gitea", "https://git.test/acme/web?x=y", "", false, "!spec.url: it must not have a query"},
		"File":              {"Nobody to tell.", "gitea", "file:///acme/web", "", false, "!spec.url: it is no URL"},
		"Nonsense":          {"Nothing to read.", "gitea", "::", "", false, "!spec.url: it is no URL"},
		"Provider":          {"Nobody knows its API.", "bitbucket", "https://git.test/a/b", "", false, `!spec.commitStatus.provider: "bitbucket" must be`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := place(gitsync.CommitState{Provider: tc.provider, RepositoryURL: tc.repository, Address: tc.adress, AllowPrivate: tc.private, Commit: commit})
			if want, refused := strings.CutPrefix(tc.want, "!"); refused {
				if err == nil || !strings.HasPrefix(err.Error(), want) {
					t.Errorf("%s\ngot %v, %v; want it refused by %q", tc.reason, got, err, want)
				}

				return
			}

			if err != nil || got.String() != tc.want+"/statuses/"+commit {
				t.Errorf("%s\ngot  %v, %v\nwant %s", tc.reason, got, err, tc.want+"/statuses/"+commit)
			}
		})
	}
}

func TestPlaceRefusesWhatIsNoCommit(t *testing.T) {
	for _, c := range []string{"", "main", commit[:39], commit + "0", strings.ToUpper(commit), "../" + commit[3:]} {
		if got, err := place(gitsync.CommitState{Provider: "gitea", RepositoryURL: "https://git.test/a/b", Commit: c}); err == nil {
			t.Errorf("%q leads to %s", c, got)
		}
	}
}
