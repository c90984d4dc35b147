package preview

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
)

const (
	// maxLabel is how long a DNS label may be.
	maxLabel = 63
	// hashed is how many digits of a hash tell names apart that would be the same.
	hashed = 8
	// MaxParent is how long the name of a tenant may be that has previews: what is left has room for a hash.
	MaxParent = maxLabel - 1 - hashed
)

// reserved are branches whose own name would be that of something else: of a pull request, or of a name with a hash.
var reserved = regexp.MustCompile(`^(pr|mr)-[0-9]+$|(^|-)[0-9a-f]{8}$`)

// Name is what the preview of a reference is called: the tenant, and the slug of the reference. The tenant's name must not be
// longer than MaxParent.
func Name(tenant, ref string) string { return tenant + "-" + Slug(ref, maxLabel-1-len(tenant)) }

// Slug is a reference as a DNS label of at most that many characters, of which there must be at least eight. It depends on
// nothing but the reference. A branch whose name is a label already is its own; all others end in a hash of the reference, so
// that no two that look alike are the same. Pull requests are pr- and their number.
func Slug(ref string, room int) string {
	if n, prefix, ok := number(ref); ok {
		if s := prefix + strconv.FormatInt(n, 10); len(s) <= room {
			return s
		}

		return Hash(ref)
	}

	branch, _ := branches.Match(ref)
	label := Label(branch)

	if label != "" && label == branch && len(label) <= room && !reserved.MatchString(label) {
		return label
	}

	// The hyphen before the hash needs room as well.
	label = strings.TrimRight(label[:min(len(label), max(0, room-hashed-1))], "-")
	if label == "" {
		return Hash(ref)
	}

	return label + "-" + Hash(ref)
}

// Hash is a short one, in hexadecimal.
func Hash(ref string) string {
	sum := sha256.Sum256([]byte(ref))

	return hex.EncodeToString(sum[:])[:hashed]
}

// Label is any text as a DNS label; it may be empty, and it may be the same for two texts.
func Label(text string) string {
	var b strings.Builder

	for _, c := range strings.ToLower(text) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}

		if b.Len() > maxLabel {
			break
		}
	}

	s := b.String()

	return strings.TrimRight(s[:min(len(s), maxLabel)], "-")
}

// The variables that every preview has.
const (
	VariableName      = "PREVIEW_NAME"
	VariableNamespace = "PREVIEW_NAMESPACE"
	VariableBranch    = "PREVIEW_BRANCH"
	VariableNumber    = "PREVIEW_NUMBER"
	VariablePort      = "PREVIEW_PORT"
)

// Variables are those of the preview of a reference. Values have lower-case letters, digits and hyphens only: whoever names a
// branch must not be able to write YAML by it. What does not apply is empty; a port of 0 is none.
func Variables(tenant, ref string, port int32) map[string]string {
	vars := map[string]string{
		VariableName: Slug(ref, maxLabel-1-len(tenant)), VariableNamespace: Name(tenant, ref),
		VariableBranch: "", VariableNumber: "", VariablePort: "",
	}

	if branch, ok := branches.Match(ref); ok {
		vars[VariableBranch] = Label(branch)
	}

	if n, _, ok := number(ref); ok {
		vars[VariableNumber] = strconv.FormatInt(n, 10)
	}

	if port > 0 {
		vars[VariablePort] = strconv.FormatInt(int64(port), 10)
	}

	return vars
}
