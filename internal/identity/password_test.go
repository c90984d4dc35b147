package identity

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

func TestPasswordHash(t *testing.T) {
	made := derive(goodPassword, cheap, newSalt())
	text := made.encode()
	if strings.Contains(text, goodPassword) || !strings.HasPrefix(text, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("the hash reads %q", text)
	}
	read, err := parseHash(text)
	if err != nil {
		t.Fatal(err)
	}
	if !read.matches(goodPassword) || read.matches(goodPassword+" ") || read.matches("") {
		t.Error("the hash does not tell passwords apart")
	}
	if derive(goodPassword, cheap, newSalt()).encode() == text {
		t.Error("two hashes of a password are the same: there is no salt")
	}
	// An o with two dots can be one character or two.
	if !derive("sch\u00f6ne Blumen", cheap, made.salt).matches("scho\u0308ne Blumen") {
		t.Error("a password that another keyboard composes otherwise is another password")
	}
}

func TestDamagedHashes(t *testing.T) {
	good := derive(goodPassword, cheap, newSalt()).encode()
	for claim, text := range map[string]string{
		"Empty":            "",
		"OtherAlgorithm":   strings.Replace(good, "argon2id", "argon2i", 1),
		"OtherVersion":     strings.Replace(good, "v=19", "v=16", 1),
		"TooMuchMemory":    strings.Replace(good, "m=64", "m=4194304", 1),
		"TooManyPasses":    strings.Replace(good, "t=1", "t=4000000", 1),
		"NoPasses":         strings.Replace(good, "t=1", "t=0", 1),
		"NoLanes":          strings.Replace(good, "p=1", "p=0", 1),
		"NegativeMemory":   strings.Replace(good, "m=64", "m=-1", 1),
		"ShortKey":         good[:len(good)-8],
		"TrailingBytes":    good + "AAAA",
		"MoreParts":        good + "$x",
		"NotBase64":        good[:len(good)-3] + "!!!",
		"PlainText":        goodPassword,
		"MissingSalt":      "$argon2id$v=19$m=64,t=1,p=1$$AAAA",
		"WordsForNumbers":  strings.Replace(good, "m=64", "m=much", 1),
		"ShortSalt":        strings.Join(append(strings.Split(good, "$")[:4], "AAAA", strings.Split(good, "$")[5]), "$"),
		"ParametersMissed": strings.Replace(good, ",p=1", "", 1),
	} {
		if _, err := parseHash(text); err == nil {
			t.Errorf("%s: %q is taken for a hash", claim, text)
		}
	}
}

func TestPasswordRules(t *testing.T) {
	for claim, tc := range map[string]struct {
		reason   string
		password string
		want     string
	}{
		"Phrase":           {"Length is what counts; nobody has to use digits.", "correct horse battery", ""},
		"Random":           {"Machines make these.", "v9#Kq2!xLm7w", ""},
		"OtherAlphabets":   {"Characters are counted, not bytes.", "пароль длинный", ""},
		"Emoji":            {"Whatever a keyboard has may be in it.", "🐎🔋📎🐴🦄🌊🔥🎈🎲🎻🥕🧭", ""},
		"DigitsEnough":     {"Many different ones are as good as letters.", "730195846201", ""},
		"Short":            {"Eleven characters.", "abcdefg1234", "at least 12"},
		"Long":             {"Hashing has to have an end.", strings.Repeat("ab3d!", 52), "longer than 256"},
		"OneCharacter":     {"Length alone is no length.", "aaaaaaaaaaaaaaaa", "different characters"},
		"TwoCharacters":    {"Nor is a pattern.", "abababababababab", "different characters"},
		"Row":              {"The first that is tried.", "123456789012", "neighbouring"},
		"RowOfLetters":     {"Backwards, too.", "zyxwvutsrqponm", "neighbouring"},
		"WornWord":         {"Long, and in every list.", "Password1234!", "tries first"},
		"WornWords":        {"Two of them are no better.", "AdminAdmin123", "tries first"},
		"KeyboardRow":      {"A word that fingers know.", "qwertyuiop12", "tries first"},
		"Name":             {"Known to whoever knows the user.", "Jane.doe-winter", "name or email"},
		"Address":          {"The same for the address.", "my-janedoe99-words", "name or email"},
		"Control":          {"Invisible characters are lost on the way.", "correct\x00horse battery", "control characters"},
		"InvalidEncoding":  {"What is no text cannot be typed again.", "correct horse \xff\xfe", "control characters"},
		"WornWordAndMore":  {"A worn word among others does no harm.", "password for the blue boat", ""},
		"ShortNameIsAWord": {"Names of three letters are in half of all words.", "a bobsleigh in june", ""},
	} {
		t.Run(claim, func(t *testing.T) {
			user, email := "jane.doe", "janedoe99@example.com"
			if claim == "ShortNameIsAWord" {
				user, email = "bob", "bob@example.com"
			}
			errs := checkPassword(field.NewPath("password"), tc.password, user, email)
			got := errs.ToAggregate()
			if (tc.want == "") != (got == nil) || (got != nil && !strings.Contains(got.Error(), tc.want)) {
				t.Errorf("got %v, want %q: %s", got, tc.want, tc.reason)
			}
			if got != nil && strings.Contains(got.Error(), tc.password) {
				t.Errorf("the refusal holds the password: %v", got)
			}
		})
	}
}

func TestRegistrationRules(t *testing.T) {
	good := RegisterRequest{Username: "jane", Email: "jane@example.com", Password: goodPassword}
	if errs := checkRegistration(good); len(errs) > 0 {
		t.Fatalf("a good registration is refused: %v", errs)
	}
	for claim, tc := range map[string]struct {
		reason string
		change func(*RegisterRequest)
		field  string
	}{
		"Colon":       {"Names with a colon are Kubernetes' own.", func(r *RegisterRequest) { r.Username = "system:admin" }, "username"},
		"At":          {"Names with an @ are those of other issuers.", func(r *RegisterRequest) { r.Username = "jane@example.com" }, "username"},
		"UpperCase":   {"Two names that look the same are one name.", func(r *RegisterRequest) { r.Username = "Jane" }, "username"},
		"Homoglyph":   {"A Cyrillic a is no a.", func(r *RegisterRequest) { r.Username = "j\u0430ne" }, "username"},
		"NewLine":     {"It would break a line of a log.", func(r *RegisterRequest) { r.Username = "jane\n" }, "username"},
		"TooLong":     {"It has to fit into a label.", func(r *RegisterRequest) { r.Username = strings.Repeat("a", 64) }, "username"},
		"Empty":       {"Nobody is called nothing.", func(r *RegisterRequest) { r.Username = "" }, "username"},
		"Reserved":    {"People would take it for somebody in charge.", func(r *RegisterRequest) { r.Username = "admin" }, "username"},
		"NoAt":        {"It is no address.", func(r *RegisterRequest) { r.Email = "jane" }, "email"},
		"TwoAddress":  {"It would be mail to two.", func(r *RegisterRequest) { r.Email = "a@b,c@d" }, "email"},
		"HeaderBreak": {"It would be a header of the mail.", func(r *RegisterRequest) { r.Email = "a@b\r\nBcc: c@d" }, "email"},
		"LongAddress": {"No mail server takes it.", func(r *RegisterRequest) { r.Email = strings.Repeat("a", 250) + "@b.cd" }, "email"},
		"BadDisplay":  {"It would move the cursor of a terminal.", func(r *RegisterRequest) { r.DisplayName = "Jane\x1b[2J" }, "displayName"},
		"BadPassword": {"The rules of passwords hold here, too.", func(r *RegisterRequest) { r.Password = "short" }, "password"},
	} {
		t.Run(claim, func(t *testing.T) {
			r := good
			tc.change(&r)
			errs := checkRegistration(r)
			if len(errs) != 1 || errs[0].Field != tc.field {
				t.Errorf("got %v, want one about %s: %s", errs, tc.field, tc.reason)
			}
		})
	}
}
