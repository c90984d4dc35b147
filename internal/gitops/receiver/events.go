package receiver

import (
	"net/http"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// eventHeaders are where senders say what has happened. No signature covers them, so they can only spare a look at the
// repository, to those who can have as many as they want.
var eventHeaders = map[gitopsv1.WebhookType]string{
	gitopsv1.WebhookGitHub: "X-GitHub-Event",
	gitopsv1.WebhookGitea:  "X-Gitea-Event",
	gitopsv1.WebhookGitLab: "X-Gitlab-Event",
}

// moving are the events after which a branch or a tag may be elsewhere.
var moving = map[gitopsv1.WebhookType]map[string]bool{
	gitopsv1.WebhookGitHub: {"push": true, "create": true, "delete": true, "release": true, "pull_request": true, "merge_group": true},
	gitopsv1.WebhookGitea:  {"push": true, "create": true, "delete": true, "release": true, "pull_request": true, "pull_request_sync": true},
	gitopsv1.WebhookGitLab: {
		"Push Hook": true, "Tag Push Hook": true, "Merge Request Hook": true, "Release Hook": true,
		// Those of a whole GitLab say only in the body which of them it is.
		"System Hook": true,
	},
}

// hints is whether what has happened is a reason to look at the repository. A sender that does not say is believed to have
// one: it has proved that it knows the token.
func hints(t gitopsv1.WebhookType, header http.Header) bool {
	event := header.Get(eventHeaders[t])

	return event == "" || moving[t][event]
}
