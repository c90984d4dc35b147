package swarmobj

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
)

// zoned is a node that has something for every key.
func zoned() swarm.Node {
	n := swarm.Node{ID: "abc"}
	n.Description.Hostname, n.Spec.Role, n.Status.Addr = "Node1", swarm.NodeRoleManager, "10.0.0.7"
	n.Description.Platform = swarm.Platform{OS: "linux", Architecture: "x86_64"}
	n.Spec.Labels = map[string]string{"zone": "a", "Disk": "ssd (fast)"}
	n.Description.Engine.Labels = map[string]string{"gpu": "yes"}

	return n
}

func TestSatisfies(t *testing.T) {
	cases := map[string]struct {
		reason      string
		constraints string // one a line
		want        bool
	}{
		"None":              {"Nothing is asked for.", "", true},
		"ID":                {"The ID is as it stands in docker node ls.", "node.id==abc", true},
		"NotTheID":          {"The opposite of what holds does not hold.", "node.id!=abc", false},
		"IDInAnotherCase":   {"Swarm compares IDs like everything else.", "node.id==ABC", true},
		"PartOfTheID":       {"Values are compared as a whole.", "node.id==ab", false},
		"Hostname":          {"Case is no matter, and neither are spaces around.", " node.hostname  ==  node1 ", true},
		"Role":              {"A manager is one by its spec.", "node.role == manager", true},
		"NotTheRole":        {"The opposite of what holds does not hold.", "node.role != manager", false},
		"KeyInAnotherCase":  {"Keys are compared without regard to case.", "Node.Role == MANAGER", true},
		"OS":                {"The platform is what the engine tells of it.", "node.platform.os == linux", true},
		"Architecture":      {"It has the name that uname gives it.", "node.platform.arch == x86_64", true},
		"ArchitectureOfGo":  {"A constraint knows no other name for it.", "node.platform.arch == amd64", false},
		"Label":             {"Values of labels are compared without regard to case.", "node.labels.zone == A", true},
		"LabelInOtherCase":  {"The name of a label is the one thing that is compared exactly.", "node.labels.ZONE == a", false},
		"PrefixInOtherCase": {"What comes before it is not.", "NODE.LABELS.zone == a", true},
		"ValueOfManyKinds":  {"Spaces and brackets are part of the value.", "node.labels.Disk == SSD (fast)", true},
		"Pattern":           {"A pattern is text.", "node.labels.zone == [ab]*", false},
		"NoSuchLabel":       {"A label that is not there is empty, and a value is not.", "node.labels.none == a", false},
		"NotNoSuchLabel":    {"So it differs from every value.", "node.labels.none != a", true},
		"EngineLabel":       {"Labels of the engine are others than those of the node.", "engine.labels.gpu == yes", true},
		"NotEngineLabel":    {"The opposite of what holds does not hold.", "engine.labels.gpu != yes", false},
		"PrefixAlone":       {"It names no label, and so it is no key that Swarm knows.", "node.labels. != a", false},
		"Address":           {"One address is compared as an address.", "node.ip == 10.0.0.7", true},
		"MappedAddress":     {"One address in two spellings.", "node.ip == ::ffff:10.0.0.7", true},
		"OtherAddress":      {"Another one differs.", "node.ip != 10.0.0.8", true},
		"Subnet":            {"A subnet holds its addresses.", "node.ip == 10.0.0.0/24", true},
		"NotTheSubnet":      {"The opposite of what holds does not hold.", "node.ip != 10.0.0.0/24", false},
		"NoAddress":         {"What is no address fits nothing.", "node.ip == 10.0.0", false},
		"NotNoAddress":      {"Not even when it is not wanted.", "node.ip != 10.0.0", false},
		"UnknownKey":        {"A key that Swarm does not know fits no node.", "node.unknown == a", false},
		"NotUnknownKey":     {"Whatever the operator.", "node.unknown != a", false},
		"AllHold":           {"All must hold.", "node.labels.zone == a\nnode.role == manager", true},
		"OneDoesNot":        {"All must hold.", "node.labels.zone == a\nnode.role == worker", false},
		"Unreadable":        {"Swarm heeds no list of which it cannot read a part.", "nonsense", true},
		"UnreadableAtLast":  {"That goes for the whole list.", "node.role == worker\nnonsense", true},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var constraints []string
			if tc.constraints != "" {
				constraints = strings.Split(tc.constraints, "\n")
			}

			if got := Satisfies(zoned(), constraints); got != tc.want {
				t.Errorf("%q: got %v, want %v. %s", constraints, got, tc.want, tc.reason)
			}
		})
	}
}

// TestSatisfiesOfABareNode: a node that says nothing of itself equals nothing, and breaks nothing.
func TestSatisfiesOfABareNode(t *testing.T) {
	for _, key := range []string{
		"node.id", "node.hostname", "node.role", "node.ip", "node.platform.os", "node.platform.arch", "node.labels.a", "engine.labels.a",
	} {
		if Satisfies(swarm.Node{}, []string{key + "==10.0.0.1"}) {
			t.Errorf("%s equals something", key)
		}
		if !Satisfies(swarm.Node{}, []string{key + "!=10.0.0.1"}) {
			t.Errorf("%s does not differ from something", key)
		}
	}
}

func TestParseConstraint(t *testing.T) {
	cases := map[string]struct {
		reason string
		text   string
		err    string
	}{
		"NoOperator":   {"A key alone asks for nothing.", "node.role", "one of the operators == and !="},
		"OneSign":      {"Compose files have == too.", "node.role=manager", "one of the operators == and !="},
		"Empty":        {"Nothing asks for nothing.", "", "one of the operators == and !="},
		"NoKey":        {"A value alone asks for nothing.", "== a", `key ""`},
		"ShortKey":     {"One letter is too short.", "n == a", `key "n"`},
		"KeyOfDigits":  {"It begins with a letter.", "1a == a", `key "1a"`},
		"KeyWithSlash": {"Kubernetes' labels have them and Swarm takes none.", "node.labels.a/b == c", `key "node.labels.a/b"`},
		"KeyWithSpace": {"Spaces are allowed around a key, not in it.", "node role == a", `key "node role"`},
		"NoValue":      {"Nothing cannot be asked for: a label that is not there has no constraint.", "node.role ==", `value ""`},
		"Operators":    {"== is looked for first, so that != becomes part of the key.", "node.role != a == b", `key "node.role != a"`},
		"ThreeSigns":   {"The third belongs to the value, where it is not allowed.", "node.role === a", `value "= a"`},
		"Comma":        {"There are no lists.", "node.role == a,b", `value "a,b"`},
		"NotASCII":     {"Values are ASCII.", "node.hostname == é", `value "é"`},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := ParseConstraint(tc.text)
			if err == nil {
				t.Fatalf("%q was read as %+v. %s", tc.text, c, tc.reason)
			}
			if !strings.Contains(err.Error(), tc.err) {
				t.Errorf("got %q, want it to contain %q. %s", err, tc.err, tc.reason)
			}
		})
	}
}

// FuzzConstraint holds the parser against the documented grammar, read by another hand, and the evaluation against what
// follows from Swarm's documentation for every constraint there is.
func FuzzConstraint(f *testing.F) {
	for _, seed := range []string{
		"node.id == abc", "node.hostname!=node1", "node.role==manager", "node.ip != 10.0.0.0/24", "node.ip == fe80::1",
		"node.platform.os == linux", "node.labels.zone == a", "engine.labels.gpu != yes", "node.labels. == a", "a != b == c",
		"node.labels.zone == [ab]*\\d$ (x|y)?", "\tnode.role ==\u00a0manager\n", "no\u212ae.id == \u017f", "==", "!=", "\x00 == \xff",
	} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConstraint(text)
		if (err == nil) != grammatical(text) {
			t.Fatalf("parse %q: got %v, but by the grammar it is %v that it can be read", text, err, grammatical(text))
		}
		if err != nil {
			return
		}

		if again, err := ParseConstraint("\t " + text + " \n"); err != nil || again != c {
			t.Errorf("with spaces around it is %+v, %v, and without %+v", again, err, c)
		}

		n, other := zoned(), c
		other.equal = !c.equal
		mine, others := c.FulfilledBy(n), other.FulfilledBy(n)
		if mine && others {
			t.Errorf("%q and its opposite are both fulfilled", text)
		}
		if known(c) != (mine || others) {
			t.Errorf("%q: it is %v that one of it and its opposite is fulfilled, want %v", text, mine || others, known(c))
		}
		if Satisfies(n, []string{text}) != mine {
			t.Errorf("%q alone and in a list are not the same", text)
		}
	})
}

// grammatical is the documented grammar, without a regular expression. The letters are those of ASCII and the two more
// that become one of them in another case.
func grammatical(text string) bool {
	i := strings.Index(text, "==")
	if i < 0 {
		if i = strings.Index(text, "!="); i < 0 {
			return false
		}
	}

	key, value := strings.TrimSpace(text[:i]), strings.TrimSpace(text[i+2:])
	letter := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r == '\u017f' || r == '\u212a'
	}
	digit := func(r rune) bool { return '0' <= r && r <= '9' }

	runes := []rune(key)
	if len(runes) < 2 || !letter(runes[0]) && runes[0] != '_' || len([]rune(value)) == 0 {
		return false
	}
	for _, r := range runes {
		if !letter(r) && !digit(r) && !strings.ContainsRune("_.-", r) {
			return false
		}
	}
	for _, r := range value {
		if !letter(r) && !digit(r) && !strings.ContainsRune(":_-.*()?+[]\\^$|/ \t\n\f\r", r) {
			return false
		}
	}

	return true
}

// known tells whether a constraint divides the nodes into those that fulfil it and those that do not.
func known(c Constraint) bool {
	key := strings.ToLower(c.key)

	switch key {
	case "node.id", "node.hostname", "node.role", "node.platform.os", "node.platform.arch":
		return true
	case "node.ip":
		_, valid := within("10.0.0.7", c.value)

		return valid
	default:
		name, ok := strings.CutPrefix(key, "node.labels.")
		if !ok {
			name, ok = strings.CutPrefix(key, "engine.labels.")
		}

		return ok && name != ""
	}
}
