package compose

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// remote is how references to other machines begin: with a scheme, as ssh has them, or as OCI artifacts and GitHub
// repositories are called for short.
var remote = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*://|oci:|[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:|github\.com/)`)

// fence refuses files that would be merged into a project and are not in its folder. compose-go asks it before its own
// loader of files; what it does not accept is inside.
type fence struct{ dir string }

// Accept implements loader.ResourceLoader: true is for what Load refuses.
func (f fence) Accept(path string) bool { return remote.MatchString(path) || f.outside(path) }

// Load implements loader.ResourceLoader.
func (f fence) Load(_ context.Context, path string) (string, error) {
	if remote.MatchString(path) {
		return "", fmt.Errorf("include or extend %q: nothing is fetched from other machines; copy it into the folder of the project", path)
	}

	return "", fmt.Errorf("include or extend %q: it is not in the folder of the project, %q; name files below it, without %q",
		path, filepath.Base(f.dir), "..")
}

// Dir implements loader.ResourceLoader. It is not reached, because Load refuses.
func (f fence) Dir(string) string { return f.dir }

// outside is true for paths that leave the folder.
func (f fence) outside(path string) bool {
	if !filepath.IsAbs(path) {
		return !filepath.IsLocal(path)
	}
	inside, err := filepath.Rel(f.dir, path)

	return err != nil || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator))
}
