package forge

import (
	"fmt"
	"net/http"
	"slices"
	"unicode/utf8"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
)

// judge says what a forge makes of a body. said is what was said of the commit before.
func (f *Forge) judge(body map[string]string, known bool, said []Status) (Status, int, string) {
	switch f.provider {
	case gitopsv1.StatusGitLab:
		return gitLab(body, known, said)
	case gitopsv1.StatusGitea:
		return gitea(body, known)
	default:
		return gitHub(body, known, said)
	}
}

func gitHub(body map[string]string, known bool, said []Status) (Status, int, string) {
	s := Status{Context: body["context"], State: body["state"], Description: body["description"]}
	of := 0

	for _, other := range said {
		if other.Context == s.Context {
			of++
		}
	}

	switch {
	case !slices.Contains([]string{"error", "failure", "pending", "success"}, s.State):
		return s, http.StatusUnprocessableEntity, "Validation Failed: state is not included in the list"
	case utf8.RuneCountInString(s.Description) > 140:
		return s, http.StatusUnprocessableEntity, "Validation Failed: description is too long (maximum is 140 characters)"
	case !known:
		return s, http.StatusUnprocessableEntity, "No commit found for SHA"
	case of >= most:
		return s, http.StatusUnprocessableEntity, "Validation Failed: This SHA and context has reached the maximum number of statuses."
	}

	return s, http.StatusCreated, ""
}

func gitLab(body map[string]string, known bool, said []Status) (Status, int, string) {
	s := Status{Context: body["name"], State: body["state"], Description: body["description"]}
	last := ""

	for _, other := range said {
		if other.Context == s.Context {
			last = other.State
		}
	}

	switch {
	case !slices.Contains([]string{"pending", "running", "success", "failed", "canceled", "skipped"}, s.State):
		return s, http.StatusBadRequest, "state does not have a valid value"
	case utf8.RuneCountInString(s.Description) > 255:
		return s, http.StatusBadRequest, "description is too long (maximum is 255 characters)"
	case !known:
		return s, http.StatusNotFound, "404 Commit Not Found"
	case s.State == "pending" && (last == "pending" || last == "running"):
		return s, http.StatusBadRequest, fmt.Sprintf("Cannot transition status via :enqueue from :%s (Reason(s): Status cannot transition via \"enqueue\")", last)
	}

	return s, http.StatusCreated, ""
}

func gitea(body map[string]string, known bool) (Status, int, string) {
	s := Status{Context: body["context"], State: body["state"], Description: body["description"]}

	switch {
	case !slices.Contains([]string{"pending", "success", "error", "failure", "warning", "skipped"}, s.State):
		return s, http.StatusUnprocessableEntity, "invalid state"
	case !known:
		return s, http.StatusNotFound, "object does not exist"
	}

	return s, http.StatusCreated, ""
}
