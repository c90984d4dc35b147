package identity

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	v1alpha1 "github.com/dogker/dogker/api/identity/v1alpha1"
)

const (
	minPassword      = 12
	maxPasswordBytes = 256
	minDistinct      = 5
	// enoughRest is how many different digits and punctuation marks are a password without any word beside them.
	enoughRest = 8
	// shortestPart is how long a part of a name must be to be looked for in a password.
	shortestPart = 4
	maxUserName  = 63
	maxEmail     = 254
)

// worn are words by which people make a password long that is none. A password is refused when nothing but digits and
// punctuation is left of it without them.
var worn = []string{
	"administrator", "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "iloveyou", "letmein", "welcome", "changeme",
	"qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "qwerty", "qwertz", "azerty", "trustno1", "superman", "football",
	"baseball", "princess", "sunshine", "monkey", "dragon", "master", "shadow", "abc123", "admin", "login", "secret", "hello",
	"default", "docker", "dogker", "kubernetes", "swarm", "test", "user", "root", "guest", "my",
}

// checkPassword says what is wrong with a password, without saying the password. The rules are those of NIST SP 800-63B:
// length counts, composition does not, and what an attacker tries first is refused.
func checkPassword(path *field.Path, password, user, email string) field.ErrorList {
	refuse := func(format string, args ...any) field.ErrorList {
		return field.ErrorList{field.Invalid(path, field.OmitValueType{}, fmt.Sprintf(format, args...))}
	}

	switch {
	case !utf8.ValidString(password) || strings.ContainsFunc(password, unicode.IsControl):
		return refuse("must be text without control characters")
	case len(password) > maxPasswordBytes:
		return refuse("must not be longer than %d bytes", maxPasswordBytes)
	case utf8.RuneCountInString(password) < minPassword:
		return refuse("must have at least %d characters", minPassword)
	case distinct(password) < minDistinct:
		return refuse("must have at least %d different characters", minDistinct)
	case isRun(password):
		return refuse("must not be a row of neighbouring characters")
	case isWorn(password):
		return refuse("must not be made of words that everybody tries first")
	case containsName(password, user, email):
		return refuse("must not contain the user's name or email address")
	}

	return nil
}

func distinct(text string) int {
	runes := []rune(strings.ToLower(text))
	slices.Sort(runes)

	return len(slices.Compact(runes))
}

// isRun is true when most characters follow on the one before, as in 123456789012 or fedcba.
func isRun(text string) bool {
	steps, count := 0, 0
	var last rune
	for _, r := range text {
		if d := r - last; count > 0 && (d == 1 || d == -1 || d == 0 || d == -9 || d == 9) {
			steps++
		}
		last = r
		count++
	}

	return steps*4 >= count*3
}

func isWorn(text string) bool {
	text = strings.ToLower(text)
	for _, word := range worn {
		text = strings.ReplaceAll(text, word, "")
	}

	return !strings.ContainsFunc(text, unicode.IsLetter) && distinct(text) < enoughRest
}

func containsName(password, user, email string) bool {
	local, _, _ := strings.Cut(email, "@")
	password = strings.ToLower(password)
	for _, part := range []string{user, local} {
		if len(part) >= shortestPart && strings.Contains(password, strings.ToLower(part)) {
			return true
		}
	}

	return false
}

// reserved are names that people would take for somebody in charge. An administrator may give them; a registration does
// not get them.
var reserved = []string{"admin", "administrator", "anonymous", "billing", "dogker", "operator", "owner", "root", "security", "support", "system"}

// checkRegistration says what is wrong with what somebody registers as.
func checkRegistration(r RegisterRequest) field.ErrorList {
	var errs field.ErrorList
	name := field.NewPath("username")
	if problems := validation.IsDNS1123Subdomain(r.Username); len(problems) > 0 || len(r.Username) > maxUserName {
		errs = append(errs, field.Invalid(name, clip(r.Username), fmt.Sprintf("must be at most %d lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit", maxUserName)))
	} else if slices.Contains(reserved, r.Username) {
		errs = append(errs, field.Invalid(name, r.Username, "is reserved"))
	}
	if !isEmail(r.Email) {
		errs = append(errs, field.Invalid(field.NewPath("email"), clip(r.Email), "must be an email address"))
	}
	if len(r.DisplayName) > 128 || strings.ContainsFunc(r.DisplayName, unicode.IsControl) || !utf8.ValidString(r.DisplayName) {
		errs = append(errs, field.Invalid(field.NewPath("displayName"), clip(r.DisplayName), "must be text of at most 128 bytes without control characters"))
	}

	return append(errs, checkPassword(field.NewPath("password"), r.Password, r.Username, r.Email)...)
}

// isEmail is the rule that the schema of User has.
func isEmail(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	bad := func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`@<>,;"`, r) }

	return found && local != "" && domain != "" && len(s) <= maxEmail &&
		utf8.ValidString(s) && !strings.ContainsFunc(local, bad) && !strings.ContainsFunc(domain, bad)
}

// isUserName says whether a User could have the name.
func isUserName(name string) bool {
	return len(name) <= maxUserName && len(validation.IsDNS1123Subdomain(name)) == 0
}

// clip keeps what is echoed to a caller short.
func clip(s string) string {
	const most = 80
	s = strings.ToValidUTF8(s, "?")
	if len(s) <= most {
		return s
	}

	return strings.ToValidUTF8(s[:most], "") + "…"
}

// lets says whether a User is let in.
func lets(u *v1alpha1.User) bool {
	return u.DeletionTimestamp == nil && (u.Spec.Access == v1alpha1.AccessGranted || u.Spec.Access == "")
}
