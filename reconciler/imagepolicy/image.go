package imagepolicy

import (
	"strings"

	"github.com/distribution/reference"
)

// Image is one that was chosen.
type Image struct {
	// Repository as the policy names it.
	Repository string
	// Tag and Digest of it.
	Tag, Digest string
	// Pinned is whether the digest belongs into what is written: because it, and not the tag, is what was followed.
	Pinned bool
}

// String is the image in full.
func (i Image) String() string { return i.Repository + ":" + i.Tag + "@" + i.Digest }

// Parse reads what String has written; false for everything else.
func Parse(s string) (Image, bool) {
	named, digest, ok := strings.Cut(s, "@")
	colon := strings.LastIndex(named, ":")

	if !ok || colon < 0 || strings.Contains(named[colon:], "/") {
		return Image{}, false
	}

	return Image{Repository: named[:colon], Tag: named[colon+1:], Digest: digest}, true
}

// Keep is the image to hold on to: the one before, while it has the same content and its tag is still there for the rule to
// choose. A new name for the same content is no news, and writing it would restart what runs.
func Keep(before, now Image, still bool) Image {
	if still && before.Repository == now.Repository && before.Digest == now.Digest && before.Tag != "" {
		now.Tag = before.Tag
	}

	return now
}

// Of tells whether an image is one of a repository, however the two are spelled: nginx is docker.io/library/nginx.
func Of(repository, image string) bool {
	a, err := reference.ParseNormalizedNamed(repository)
	if err != nil {
		return false
	}

	b, err := reference.ParseNormalizedNamed(image)

	return err == nil && a.Name() == b.Name()
}

// Write is what a container's image becomes, and whether that is a change. declared is the image in its spec, running the one
// that Swarm was asked to run for that very spec, with its digest; empty when that is not known. The repository keeps the
// container's spelling, and an image that was pinned stays pinned.
func Write(declared, running string, latest Image) (string, bool) {
	digest := digestOf(declared)

	switch {
	case digest == latest.Digest:
		return declared, false
	case !latest.Pinned && tagOf(declared) == latest.Tag:
		// The tag is what is followed. That it was moved is no new version.
		return declared, false
	case digest == "" && running != "" && digestOf(running) == latest.Digest:
		// The same content by another name.
		return declared, false
	}

	want := spelling(declared) + ":" + latest.Tag
	if latest.Pinned || digest != "" {
		want += "@" + latest.Digest
	}

	return want, true
}

// spelling is the repository of an image, as somebody has written it.
func spelling(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndex(image, ":"); colon > strings.LastIndex(image, "/") {
		return image[:colon]
	}

	return image
}

// tagOf is the tag of an image; that of one without a tag and a digest is latest.
func tagOf(image string) string {
	named, _, pinned := strings.Cut(image, "@")

	tag := strings.TrimPrefix(strings.TrimPrefix(named, spelling(image)), ":")
	if tag == "" && !pinned {
		return "latest"
	}

	return tag
}

func digestOf(image string) string {
	_, digest, _ := strings.Cut(image, "@")

	return digest
}
