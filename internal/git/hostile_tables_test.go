package git_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/source"
)

func treesThatAreHostile() map[string]hostile {
	const never = "A name that Git refuses to check out is refused wherever it is."

	const out = "leads out of the repository"

	return map[string]hostile{
		"SymlinkOut":      {reason: "A symlink is a name for something in the repository.", files: gittest.Files{"k.yaml": "-> /etc/passwd"}, want: source.ReasonRepositoryRefused, says: "k.yaml: is a symlink that " + out},
		"SymlinkUp":       {files: gittest.Files{"a/k.yaml": "-> ../../etc/passwd"}, want: source.ReasonRepositoryRefused, says: "a/k.yaml: is a symlink that " + out},
		"SymlinkInAndOut": {reason: "What leaves and comes back has left.", files: gittest.Files{"k.yaml": "-> a/../../repository/b.yaml", "a/x": "", "b.yaml": configMap("b", "1")}, want: source.ReasonRepositoryRefused, says: out},
		"SymlinkedPath":   {files: gittest.Files{"apps": "-> /etc"}, change: at("apps"), want: source.ReasonRepositoryRefused, says: `path: "apps" is a symlink that ` + out},
		"SymlinkToProc":   {files: gittest.Files{"kustomization.yaml": "resources: [k.yaml]\n", "k.yaml": "-> /proc/self/environ"}, want: source.ReasonRepositoryRefused, says: out},
		"SymlinkLoop":     {files: gittest.Files{"a.yaml": "-> b.yaml", "b.yaml": "-> a.yaml"}, want: source.ReasonRepositoryRefused, says: "a.yaml: goes through more than 40 symlinks"},
		"SymlinkBomb":     {reason: "Each goes through the next one twice.", files: gittest.Files{"a0": "-> a1/a1", "a1": "-> a2/a2", "a2": "-> a3/a3", "a3": "-> a4/a4", "a4": "-> a5/a5", "a5": "-> a0", "k.yaml": "-> a0"}, want: source.ReasonRepositoryRefused, says: "more than 40 symlinks"},
		"SymlinkLong":     {files: gittest.Files{"a.yaml": "-> " + strings.Repeat("x/", 5000)}, want: source.ReasonRepositoryRefused, says: "is a symlink of 10000 bytes"},
		"SymlinkNUL":      {files: gittest.Files{"a.yaml": "-> b.yaml\x00/etc"}, want: source.ReasonRepositoryRefused, says: out},
		"SymlinkedRoot":   {reason: "A directory that contains itself is walked once.", files: gittest.Files{"a/loop": "-> ..", "a/a.yaml": configMap("a", "1")}, says: "[a/a.yaml:1 ConfigMap/a"},
		"PathOut":         {files: gittest.Files{"a.yaml": ""}, change: at("../../etc"), want: source.ReasonPathNotFound, says: `path: "../../etc" ` + out},
		"PathAbsolute":    {reason: "A leading slash is the repository's root.", files: gittest.Files{"a.yaml": ""}, change: at("/etc"), want: source.ReasonPathNotFound, says: "is not in the repository"},
		"PathNUL":         {files: gittest.Files{"a.yaml": ""}, change: at("a\x00b"), want: source.ReasonRepositoryRefused, says: "path: "},
		"Submodule": {reason: "It would be fetched from where it says.", repo: func(r *gittest.Repo) {
			modules := r.Object("blob", []byte("[submodule \"x\"]\n\tpath = x\n\turl = ext::sh -c id\n"))
			tree(gittest.Entry{Mode: gittest.File, Name: ".gitmodules", Hash: modules}, gittest.Entry{Mode: gittest.Module, Name: "x", Hash: strings.Repeat("1", 40)})(r)
		}, change: at("x"), want: source.ReasonPathNotFound, says: "is a submodule"},
		"SubmoduleAside":  {reason: "Where nobody looks it is nothing.", repo: tree(gittest.Entry{Mode: gittest.File, Name: "a.yaml"}, gittest.Entry{Mode: gittest.Module, Name: "x", Hash: strings.Repeat("1", 40)}), says: "ConfigMap/a"},
		"Hooks":           {reason: never, repo: func(r *gittest.Repo) { r.Push(gittest.Files{".git/hooks/post-checkout": "#!/bin/sh\nid\n"}) }, want: source.ReasonRepositoryRefused, says: "Git's own directory"},
		"DotGitUpper":     {reason: never, repo: func(r *gittest.Repo) { r.Push(gittest.Files{"a/.GIT/config": ""}) }, want: source.ReasonRepositoryRefused, says: "Git's own directory"},
		"DotGitShort":     {reason: never, repo: tree(gittest.Entry{Mode: gittest.File, Name: "GIT~1"}), want: source.ReasonRepositoryRefused, says: "Git's own directory"},
		"DotGitDot":       {reason: never, repo: tree(gittest.Entry{Mode: gittest.File, Name: ".git. ."}), want: source.ReasonRepositoryRefused, says: "Git's own directory"},
		"DotGitStream":    {reason: never, repo: tree(gittest.Entry{Mode: gittest.File, Name: ".git::$INDEX_ALLOCATION"}), want: source.ReasonRepositoryRefused, says: "Git's own directory"},
		"DotGitUnseen":    {reason: "Some file systems leave out what cannot be seen.", repo: tree(gittest.Entry{Mode: gittest.File, Name: ".g\u200cit"}), want: source.ReasonRepositoryRefused, says: "cannot be seen"},
		"NameUp":          {repo: tree(gittest.Entry{Mode: gittest.File, Name: ".."}), want: source.ReasonRepositoryRefused, says: "no name of a file"},
		"NameHere":        {repo: tree(gittest.Entry{Mode: gittest.File, Name: "."}), want: source.ReasonRepositoryRefused, says: "no name of a file"},
		"NameSlash":       {repo: tree(gittest.Entry{Mode: gittest.File, Name: "../../etc/x.yaml"}), want: source.ReasonRepositoryRefused, says: "no name of a file"},
		"NameAbsolute":    {repo: tree(gittest.Entry{Mode: gittest.File, Name: "/etc/x.yaml"}), want: source.ReasonRepositoryRefused, says: "no name of a file"},
		"NameBackslash":   {repo: tree(gittest.Entry{Mode: gittest.File, Name: `..\x.yaml`}), want: source.ReasonRepositoryRefused, says: "no name of a file"},
		"NameNewline":     {repo: tree(gittest.Entry{Mode: gittest.File, Name: "a\nb.yaml"}), want: source.ReasonRepositoryRefused, says: "cannot be seen"},
		"NameEscape":      {repo: tree(gittest.Entry{Mode: gittest.File, Name: "\x1b[31m.yaml"}), want: source.ReasonRepositoryRefused, says: "cannot be seen"},
		"NameBidi":        {reason: "A terminal shows it as another name.", repo: tree(gittest.Entry{Mode: gittest.File, Name: "\u202elmay.a"}), want: source.ReasonRepositoryRefused, says: "cannot be seen"},
		"NameNoUTF8":      {repo: tree(gittest.Entry{Mode: gittest.File, Name: "\xff.yaml"}), want: source.ReasonRepositoryRefused, says: "is not UTF-8"},
		"NameLong":        {repo: tree(gittest.Entry{Mode: gittest.File, Name: strings.Repeat("x", 300) + ".yaml"}), want: source.ReasonRepositoryRefused, says: "longer than 255"},
		"NameTwice":       {reason: "Which of them counts would be a matter of taste.", repo: tree(gittest.Entry{Mode: gittest.File, Name: "a.yaml"}, gittest.Entry{Mode: gittest.File, Name: "a.yaml"}), want: source.ReasonRepositoryRefused, says: "a.yaml: is in the commit twice"},
		"NamesOfDevices":  {reason: "Nothing is checked out, so there is nothing that they are names of.", files: gittest.Files{"con.yaml": configMap("con", "1"), "aux/nul.yaml": configMap("nul", "1")}, says: "aux/nul.yaml:1 ConfigMap/nul"},
		"NamesInTwoCases": {reason: "They are two files.", files: gittest.Files{"a.yaml": configMap("a", "1"), "A.yaml": configMap("b", "1")}, says: "[A.yaml:1 ConfigMap/b {\"key\":1} a.yaml:1 ConfigMap/a"},
		"ModeOdd":         {reason: "What is no kind of file is taken for a submodule, as Git does, and is not there.", repo: tree(gittest.Entry{Mode: "60644", Name: "a.yaml"}), says: "[]"},
		"DirectoryAsFile": {repo: func(r *gittest.Repo) { tree(gittest.Entry{Mode: gittest.File, Name: "a.yaml", Hash: r.TreeOf(nil)})(r) }, want: source.ReasonRepositoryRefused, says: "a.yaml"},
		"FileAsDirectory": {repo: tree(gittest.Entry{Mode: gittest.Dir, Name: "a"}), want: source.ReasonRepositoryRefused, says: "a: the directory is missing or malformed"},
		"ContentMissing":  {repo: tree(gittest.Entry{Mode: gittest.File, Name: "a.yaml", Hash: strings.Repeat("2", 40)}), want: source.ReasonRepositoryRefused, says: "a.yaml: its content is missing"},
		"TreeOfRubbish":   {repo: func(r *gittest.Repo) { r.Ref("refs/heads/main", r.Commit(r.Object("tree", []byte("rubbish")), "x")) }, want: source.ReasonRepositoryRefused, says: "malformed"},
		"CommitOfRubbish": {repo: func(r *gittest.Repo) { r.Ref("refs/heads/main", r.Object("commit", []byte("rubbish"))) }, want: source.ReasonRepositoryRefused, says: "is malformed"},
		"CommitOfTwoTrees": {reason: "A reader that takes the last one sees other files than one that takes the first.", repo: func(r *gittest.Repo) {
			r.Ref("refs/heads/main", r.Object("commit", []byte("tree "+r.TreeOf(nil)+"\n"+gittest.CommitText(r.TreeOf(nil), "x"))))
		}, want: source.ReasonRepositoryRefused, says: "is malformed"},
		"NestedDeep": {repo: func(r *gittest.Repo) {
			h := r.TreeOf(gittest.Files{"a.yaml": ""})
			for range 90 {
				h = r.Tree(gittest.Entry{Mode: gittest.Dir, Name: "d", Hash: h})
			}

			r.Ref("refs/heads/main", r.Commit(h, "x"))
		}, want: source.ReasonLimitExceeded, says: "nested deeper than 64"},
		"TreeBomb": {reason: "Eight trees of ten entries each are a hundred million files.", repo: func(r *gittest.Repo) {
			h := r.TreeOf(gittest.Files{"a.yaml": configMap("a", "1")})
			for range 8 {
				var entries []gittest.Entry
				for i := range 10 {
					entries = append(entries, gittest.Entry{Mode: gittest.Dir, Name: fmt.Sprint(i), Hash: h})
				}

				h = r.Tree(entries...)
			}

			r.Ref("refs/heads/main", r.Commit(h, "x"))
		}, want: source.ReasonLimitExceeded, says: "more than 100 files"},
		"ManyFiles": {repo: func(r *gittest.Repo) {
			files := gittest.Files{}
			for i := range 101 {
				files[fmt.Sprintf("f%d.txt", i)] = "x"
			}

			r.Push(files)
		}, want: source.ReasonLimitExceeded, says: "more than 100 files"},
		"ManyObjects": {repo: func(r *gittest.Repo) {
			for i := range 2001 {
				r.Object("blob", []byte(fmt.Sprint(i)))
			}

			r.Push(gittest.Files{"a.yaml": configMap("a", "1")})
		}, want: source.ReasonLimitExceeded, says: "objects; 2000 are read"},
		"LargeBlob":     {reason: "A thousand times as much as was sent.", files: gittest.Files{"a.bin": strings.Repeat("\x00", 2<<20)}, want: source.ReasonLimitExceeded, says: "an object of 2097152 bytes"},
		"LargeTogether": {repo: func(r *gittest.Repo) { r.Push(sized(3, 500<<10)) }, want: source.ReasonLimitExceeded, says: "larger than 1048576 bytes together"},
		"LargeUnpacked": {repo: func(r *gittest.Repo) {
			for i := range 12 {
				r.Object("blob", []byte(fmt.Sprint(i)+strings.Repeat("\x00", 1<<20-10)))
			}

			r.Push(gittest.Files{"a.yaml": configMap("a", "1")})
		}, want: source.ReasonLimitExceeded, says: "unpacks to more than"},
		"LargeFile": {files: gittest.Files{"a.yaml": configMap("a", "1") + strings.Repeat("# ............\n", 20_000)}, want: source.ReasonLimitExceeded, says: "a.yaml: has 3"},
		"LargeClone": {repo: func(r *gittest.Repo) {
			noise := make([]byte, 900<<10)
			for i := range noise {
				noise[i] = byte(rand.Uint32())
			}

			r.Object("blob", noise[1:])
			r.Push(gittest.Files{"a.bin": string(noise)})
		}, want: source.ReasonLimitExceeded, says: "bytes"},
		"LargeMessage": {reason: "A message is shortened.", repo: func(r *gittest.Repo) {
			r.Ref("refs/heads/main", r.Commit(r.TreeOf(gittest.Files{"a.yaml": configMap("a", "1")}), strings.Repeat("word ", 50_000)))
		}, says: "word word…"},
		"MessageOfEscapes": {reason: "A message is shown as text.", repo: func(r *gittest.Repo) {
			r.Ref("refs/heads/main", r.Commit(r.TreeOf(gittest.Files{"a.yaml": configMap("a", "1")}), "\x1b[31mRed\x07 \u202eevil"))
		}, says: "Subject:[31mRed evil"},
		"TimeAbsurd": {reason: "A time that fits no timestamp is none.", repo: func(r *gittest.Repo) {
			r.Ref("refs/heads/main", r.Object("commit", []byte("tree "+r.TreeOf(gittest.Files{"a.yaml": configMap("a", "1")})+"\nauthor A <a> 1 +0000\ncommitter A <a> 99999999999999 +0000\n\nx\n")))
		}, says: "Time:0001-01-01"},
		"IgnoreBomb":     {reason: "Stars multiply.", files: gittest.Files{".sourceignore": strings.Repeat("**/*a*b*c*d*e*f*g*h*", 2)}, want: source.ReasonLimitExceeded, says: ".sourceignore:1"},
		"IgnoreEndless":  {files: gittest.Files{".sourceignore": strings.Repeat("a\n", 2000)}, want: source.ReasonLimitExceeded, says: ".sourceignore:"},
		"LFSPointer":     {reason: "It would be fetched from where it says.", files: gittest.Files{"a.yaml": "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", ".gitattributes": "*.yaml filter=lfs\n", ".lfsconfig": "[lfs]\nurl = http://127.0.0.1\n"}, want: source.ReasonBuildFailed, says: "Git LFS"},
		"FilterOfCommit": {reason: "Attributes and configuration of a repository are not read.", files: gittest.Files{"a.yaml": configMap("a", "1"), ".gitattributes": "* filter=evil ident export-subst\n", ".gitconfig": "[filter \"evil\"]\n smudge = id\n"}, says: "ConfigMap/a"},
	}
}

// sized are files of one size.
func sized(count, bytes int) gittest.Files {
	files := gittest.Files{}
	for i := range count {
		files[fmt.Sprintf("f%d.txt", i)] = fmt.Sprint(i) + strings.Repeat("x", bytes)
	}

	return files
}

func yamlThatIsHostile() map[string]hostile {
	one := func(text string) gittest.Files { return gittest.Files{"a.yaml": text} }

	var flat strings.Builder
	for range 500 {
		flat.WriteString("- *a\n")
	}

	nested := strings.Repeat("${a:=", 300) + "x" + strings.Repeat("}", 300)

	return map[string]hostile{
		"AliasBomb":           {reason: "Ten levels are ten thousand million values.", files: one(bomb(10)), want: source.ReasonBuildFailed, says: "a.yaml:1: its aliases expand it"},
		"AliasSquare":         {reason: "One level is enough where both sides are long.", files: one("a: &a [" + strings.Repeat("x,", 2000) + "x]\nb:\n" + flat.String()), want: source.ReasonBuildFailed, says: "aliases expand"},
		"AliasOfItself":       {files: one("a: &a [*a]\n"), want: source.ReasonBuildFailed, says: "part of what it stands for"},
		"AliasMergeBomb":      {files: one(strings.ReplaceAll(strings.ReplaceAll(bomb(9), "[", "{<<: ["), "]", "]}")), want: source.ReasonBuildFailed, says: "a.yaml"},
		"AliasDeep":           {reason: "Depth adds up through aliases.", files: one("a: &a " + strings.Repeat("[", 60) + strings.Repeat("]", 60) + "\nb: " + strings.Repeat("[", 60) + "*a" + strings.Repeat("]", 60) + "\n"), want: source.ReasonBuildFailed, says: "nested deeper"},
		"Deep":                {files: one(strings.Repeat("[", 5000) + strings.Repeat("]", 5000)), want: source.ReasonBuildFailed, says: "a.yaml"},
		"DeepBlock":           {files: one(deep(300)), want: source.ReasonBuildFailed, says: "nested deeper than 100"},
		"TagOfPython":         {files: one("a: !!python/object/apply:os.system [id]\n"), want: source.ReasonBuildFailed, says: "the tag"},
		"TagOfOthers":         {files: one(configMap("a", "!include /etc/passwd")), want: source.ReasonBuildFailed, says: `a.yaml:6: the tag "!include"`},
		"KeyTwice":            {reason: "Two readers may take two values.", files: one(configMap("a", "1") + "kind: Secret\n"), want: source.ReasonBuildFailed, says: `a.yaml:7: the key "kind" is there twice`},
		"KeyTwiceByAlias":     {files: one("? &k kind\n: ConfigMap\n? *k\n: Secret\n"), want: source.ReasonBuildFailed, says: "a key must be a string"},
		"KeyThatIsMapping":    {files: one("{a: b}: c\n"), want: source.ReasonBuildFailed, says: "a key must be a string"},
		"NUL":                 {files: one("a: \x00\n"), want: source.ReasonBuildFailed, says: "no valid YAML"},
		"Binary":              {files: one("\x7fELF\x02\x01\x01\xff\xfe"), want: source.ReasonBuildFailed, says: "no valid YAML"},
		"ManyDocuments":       {files: one(documents(21)), want: source.ReasonLimitExceeded, says: "a.yaml:142: there are more than 20 objects"},
		"ManyItems":           {files: one("kind: List\napiVersion: v1\nitems:\n" + strings.Repeat("- {apiVersion: v1, kind: A, metadata: {name: a}}\n", 21)), want: source.ReasonLimitExceeded, says: "a.yaml:24: there are more than 20 objects"},
		"ManyEmpty":           {reason: "A document of nothing is nothing.", files: one(strings.Repeat("---\n", 10_000) + configMap("a", "1")), says: "a.yaml:10001 ConfigMap/a"},
		"LargeTogetherAsJSON": {files: gittest.Files{"a.yaml": configMap("a", strings.Repeat("x", 100<<10)), "b.yaml": configMap("b", strings.Repeat("x", 100<<10)), "c.yaml": configMap("c", strings.Repeat("x", 100<<10))}, want: source.ReasonLimitExceeded, says: "c.yaml:1: the objects are larger than 262144 bytes"},
		"VariableInjection":   {reason: "A value stays where it was put.", files: one(configMap("a", "${x}")), change: substituted(map[string]string{"x": "1\nkind: Secret\nmetadata: {name: evil}"}), says: `ConfigMap/a {"key":"1\nkind: Secret\nmetadata: {name: evil}"}`},
		"VariableAsKey":       {reason: "A key that appears twice by a variable appears twice.", files: one(configMap("a", "1") + "  ${x}: 2\n"), change: substituted(map[string]string{"x": "key"}), want: source.ReasonBuildFailed, says: "already set in map"},
		"VariableNested":      {files: one(configMap("a", "'"+nested+"'")), change: substituted(map[string]string{}), want: source.ReasonBuildFailed, says: "has more than 200 variables"},
		"VariableBomb":        {reason: "What is replaced may be longer than what it is replaced by.", files: one(configMap("a", "'${x//a/${x//a/"+strings.Repeat("b", 100)+"}}'")), change: substituted(map[string]string{"x": strings.Repeat("a", 5000)}), want: source.ReasonBuildFailed, says: "a.yaml:6"},
		"VariableBroken":      {files: one(configMap("a", "'${x:1:${'")), change: substituted(map[string]string{"x": "a"}), want: source.ReasonBuildFailed, says: "a.yaml:6: "},
		"VariableOutOfText":   {reason: "A slice that is out of its text must not be the end of anything.", files: one(configMap("a", "'${x:5:9}'")), change: substituted(map[string]string{"x": "a"}), says: "ConfigMap/a"},
		"GoTemplate":          {reason: "Templates of others are text.", files: one(configMap("a", `'{{ .Env.HOME }} {{ printf "%s" "x" }} $(id) <% 1 %>'`)), change: substituted(map[string]string{}), says: `{{ .Env.HOME }}`},
	}
}

// documents are objects, each in seven lines.
func documents(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "---\n%s", configMap(fmt.Sprintf("c%d", i), "1"))
	}

	return b.String()
}

// deep is a mapping in a mapping.
func deep(levels int) string {
	var b strings.Builder
	for i := range levels {
		fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
	}

	return b.String()
}

func kustomizationsThatAreHostile() map[string]hostile {
	const elsewhere = "nothing is fetched from elsewhere"

	const out = "leads out of the repository"

	refused := func(lines string, reason source.Reason, says string) hostile {
		return hostile{files: kustomization(lines), change: at("k"), want: reason, says: says}
	}

	double := gittest.Files{"l10/kustomization.yaml": "resources: [a.yaml]\n", "l10/a.yaml": configMap("a", "1")}
	for i := range 10 {
		double[fmt.Sprintf("l%d/kustomization.yaml", i)] = fmt.Sprintf("resources: [left, right]\nnamePrefix: p%d-\n", i)

		for _, side := range []string{"left", "right"} {
			double[fmt.Sprintf("l%d/%s/kustomization.yaml", i, side)] = fmt.Sprintf("resources: [../../l%d]\nnamePrefix: %s-\n", i+1, side)
		}
	}

	return map[string]hostile{
		"BaseOut":            refused("resources: [../../..]\n", source.ReasonRepositoryRefused, "k/kustomization.yaml:1: resources[0]: \"../../..\" "+out),
		"BaseAbsolute":       refused("resources: [/etc]\n", source.ReasonRepositoryRefused, "is an absolute path"),
		"BaseInAndOut":       refused("resources: [../../repository/k/a.yaml]\n", source.ReasonRepositoryRefused, out),
		"BaseOfItself":       refused("resources: [.]\n", source.ReasonBuildFailed, "contains what uses it"),
		"BaseAbove":          refused("resources: [..]\n", source.ReasonBuildFailed, "contains what uses it"),
		"RemoteBase":         refused("resources:\n- a.yaml\n- https://git.test/x//base?ref=main\n", source.ReasonBuildFailed, "k/kustomization.yaml:3: resources[1]: \"https://git.test/x//base?ref=main\" is elsewhere, and "+elsewhere),
		"RemoteByHost":       refused("resources: [github.com/x/y]\n", source.ReasonBuildFailed, elsewhere),
		"RemoteByColon":      refused("resources: ['git@git.test:x/y']\n", source.ReasonBuildFailed, elsewhere),
		"RemoteByFile":       refused("resources: ['file:///etc']\n", source.ReasonBuildFailed, elsewhere),
		"RemoteByForce":      refused("resources: ['git::https://git.test/x']\n", source.ReasonBuildFailed, elsewhere),
		"RemoteOption":       refused("resources: ['--upload-pack=id']\n", source.ReasonBuildFailed, "is not in the repository"),
		"RemoteComponent":    refused("components: ['https://git.test/x']\n", source.ReasonBuildFailed, elsewhere),
		"RemoteOldBase":      refused("bases: ['https://git.test/x']\n", source.ReasonBuildFailed, elsewhere),
		"RemotePatch":        refused("resources: [a.yaml]\npatches: [{path: 'http://169.254.169.254/latest'}]\n", source.ReasonBuildFailed, elsewhere),
		"RemoteOldPatch":     refused("resources: [a.yaml]\npatchesStrategicMerge: ['http://169.254.169.254/latest']\n", source.ReasonBuildFailed, elsewhere),
		"RemoteJSONPatch":    refused("resources: [a.yaml]\npatchesJson6902: [{target: {kind: ConfigMap, name: a, version: v1}, path: 'http://169.254.169.254/'}]\n", source.ReasonBuildFailed, elsewhere),
		"RemoteFile":         refused("configMapGenerator: [{name: x, files: ['k=http://169.254.169.254/latest']}]\n", source.ReasonBuildFailed, elsewhere),
		"RemoteEnv":          refused("secretGenerator: [{name: x, envs: ['http://127.0.0.1:2379/']}]\n", source.ReasonBuildFailed, elsewhere),
		"RemoteSchema":       refused("resources: [a.yaml]\nopenapi: {path: 'http://127.0.0.1/'}\n", source.ReasonBuildFailed, elsewhere),
		"RemoteCRD":          refused("resources: [a.yaml]\ncrds: ['http://127.0.0.1/']\n", source.ReasonBuildFailed, elsewhere),
		"RemoteReplacement":  refused("resources: [a.yaml]\nreplacements: [{path: 'http://127.0.0.1/'}]\n", source.ReasonBuildFailed, elsewhere),
		"RemoteInPlugin":     refused("resources: [a.yaml]\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: http://169.254.169.254/\n", source.ReasonBuildFailed, elsewhere),
		"FileOut":            refused("configMapGenerator: [{name: x, files: ['k=../../etc/passwd']}]\n", source.ReasonRepositoryRefused, out),
		"FileAbsolute":       refused("configMapGenerator: [{name: x, files: [/etc/passwd]}]\n", source.ReasonRepositoryRefused, "absolute path"),
		"EnvOfProcess":       refused("secretGenerator: [{name: x, envs: [/proc/self/environ]}]\n", source.ReasonRepositoryRefused, "absolute path"),
		"FileOutInPlugin":    refused("resources: [a.yaml]\ngenerators:\n- |\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n  metadata: {name: x}\n  name: x\n  files: [k=../../etc/passwd]\n", source.ReasonRepositoryRefused, "out of the repository"),
		"HelmChart":          refused("helmCharts: [{name: x, repo: 'https://charts.test'}]\n", source.ReasonBuildFailed, "Helm charts are not rendered"),
		"HelmInPlugin":       refused("generators:\n- |\n  apiVersion: builtin\n  kind: HelmChartInflationGenerator\n  metadata: {name: x}\n  name: x\n", source.ReasonBuildFailed, "Helm charts are not rendered"),
		"ExecFunction":       refused("transformers:\n- |\n  apiVersion: x/v1\n  kind: X\n  metadata:\n    name: x\n    annotations:\n      config.kubernetes.io/function: |\n        exec: {path: /bin/sh}\n", source.ReasonBuildFailed, "functions are not run"),
		"ContainerFunction":  refused("generators:\n- |\n  apiVersion: x/v1\n  kind: X\n  metadata:\n    name: x\n    annotations: {config.k8s.io/function: 'container: {image: x}'}\n", source.ReasonBuildFailed, "functions are not run"),
		"ExternalPlugin":     refused("generators:\n- |\n  apiVersion: someteam.example/v1\n  kind: X\n  metadata: {name: x}\n", source.ReasonBuildFailed, "kustomize: "),
		"InlineBomb":         {reason: "Text in a kustomization is YAML to kustomize.", files: kustomization("resources: [a.yaml]\npatches:\n- patch: |-\n" + indent(bomb(9))), change: at("k"), want: source.ReasonBuildFailed, says: "aliases expand"},
		"PatchBomb":          {files: gittest.Files{"kustomization.yaml": "resources: [a.yaml]\npatches: [{path: p.yaml}]\n", "a.yaml": configMap("a", "1"), "p.yaml": bomb(9)}, want: source.ReasonBuildFailed, says: "p.yaml:1: its aliases expand"},
		"PatchBombInPlugin":  {reason: "What a plugin names is a file like all others.", files: gittest.Files{"kustomization.yaml": "resources: [a.yaml]\ntransformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: p.yaml\n", "a.yaml": configMap("a", "1"), "p.yaml": bomb(9)}, want: source.ReasonBuildFailed, says: "p.yaml:1: its aliases expand"},
		"KustomizationBomb":  {files: gittest.Files{"kustomization.yaml": bomb(9)}, want: source.ReasonBuildFailed, says: "kustomization.yaml:1: its aliases expand"},
		"BasesInACircle":     {files: gittest.Files{"a/kustomization.yaml": "resources: [../b]\n", "b/kustomization.yaml": "resources: [../a]\n"}, change: at("a"), want: source.ReasonBuildFailed, says: "contains what uses it"},
		"BasesThatMultiply":  {reason: "Two of two of two, ten deep, are a thousand.", files: double, change: at("l0"), want: source.ReasonLimitExceeded, says: "bases are nested"},
		"KustomizationAsDir": {files: gittest.Files{"kustomization.yaml/x": ""}, want: source.ReasonBuildFailed, says: "kustomization.yaml: is a directory"},
		"NamespaceOfSystem":  {reason: "Where an object may go is for the API to decide, as the tenant.", files: kustomization("resources: [a.yaml]\nnamespace: dogker-system\n"), change: at("k"), says: "ConfigMap/a"},
	}
}

func indent(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n    ") + "\n"
}

func serversThatAreHostile() map[string]hostile {
	zeros := strings.Repeat("\x00", 60_000)
	zero := strings.Repeat("0", 40)

	return map[string]hostile{
		"SlowReferences": {reason: "A byte now and then keeps a connection alive, and a request not.", server: trickling("fff0"), change: soon, want: source.ReasonTimeout, says: "in time"},
		"SilentServer":   {server: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, change: soon, want: source.ReasonTimeout, says: "in time"},
		"SlowPack":       {server: advertiseSlowly(), change: soon, want: source.ReasonTimeout, says: "in time"},
		"EndlessReferences": {server: refs(func(w io.Writer) {
			_, _ = io.WriteString(w, gittest.Line("%s HEAD\x00shallow\n", strings.Repeat("a", 40)))
			endless(w, gittest.Line("%s refs/heads/x\n", strings.Repeat("a", 40)))
		}), want: source.ReasonLimitExceeded, says: "bytes"},
		"EndlessHeaders":  {server: func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<18)) }, want: source.ReasonGitOperationFailed, says: ""},
		"EndlessBody":     {server: refs(func(w io.Writer) { endless(w, zeros) }), want: source.ReasonGitOperationFailed, says: ""},
		"PackWithoutEnd":  {server: advertise(func(w http.ResponseWriter, _ string) { endless(w, band(zeros)) }), want: source.ReasonLimitExceeded, says: "bytes"},
		"EndlessProgress": {reason: "Progress is nothing, and counts.", server: advertise(func(w http.ResponseWriter, _ string) { endless(w, gittest.Line("\x02%s", zeros)) }), want: source.ReasonLimitExceeded, says: "bytes"},
		"PackOfGarbage":   {server: advertise(func(w http.ResponseWriter, _ string) { _, _ = io.WriteString(w, band("garbage")+gittest.Flush) }), want: source.ReasonGitOperationFailed, says: "no valid pack"},
		"PackOfNothing":   {server: advertise(func(w http.ResponseWriter, _ string) { _, _ = io.WriteString(w, gittest.Flush) }), want: source.ReasonGitOperationFailed, says: "no valid pack"},
		"PackThatBoasts": {reason: "What it says that it has is not made room for.", server: advertise(func(w http.ResponseWriter, _ string) {
			_, _ = io.WriteString(w, band(packOf(1<<32-1, ""))+gittest.Flush)
		}), want: source.ReasonLimitExceeded, says: "4294967295 objects"},
		"PackCutOff": {server: advertise(func(w http.ResponseWriter, _ string) {
			_, _ = io.WriteString(w, band(packOf(3, "\x95\x0ax"))+gittest.Flush)
		}), want: source.ReasonGitOperationFailed, says: "no valid pack"},
		"PackOfLargeObject": {reason: "An object says how large it is before it is unpacked.", server: advertise(func(w http.ResponseWriter, _ string) {
			_, _ = io.WriteString(w, band(packOf(1, "\xbf\xff\xff\xff\x7f"))+gittest.Flush)
		}), want: source.ReasonLimitExceeded, says: "an object of"},
		"PackOfOthers": {reason: "What was not asked for is not the commit.", server: advertise(func(w http.ResponseWriter, _ string) {
			var other gittest.Repo

			other.Object("blob", []byte("something else"))
			_, _ = io.WriteString(w, band(string(other.Pack()))+gittest.Flush)
		}), want: source.ReasonReferenceNotFound, says: "has no commit"},
		"ErrorOfEscapes": {server: refs(func(w io.Writer) {
			_, _ = io.WriteString(w, gittest.Line("ERR \x1b[31mred\x00\u202e%s\n", strings.Repeat("x", 5000)))
		}), want: source.ReasonGitOperationFailed, says: "the server says: [31mred"},
		"ReferenceOfEscapes": {server: refs(func(w io.Writer) {
			_, _ = io.WriteString(w, gittest.Line("%s HEAD\x00symref=HEAD:refs/heads/\x1b[31m\n", strings.Repeat("a", 40))+gittest.Line("%s refs/heads/\x1b[31m\n", strings.Repeat("a", 40))+gittest.Flush)
		}), want: source.ReasonRepositoryRefused, says: "no name that one can have"},
		"ReferenceOut": {server: refs(func(w io.Writer) {
			_, _ = io.WriteString(w, gittest.Line("%s HEAD\x00symref=HEAD:refs/heads/../../x\n", strings.Repeat("a", 40))+gittest.Line("%s refs/heads/../../x\n", strings.Repeat("a", 40))+gittest.Flush)
		}), want: source.ReasonRepositoryRefused, says: "no name that one can have"},
		"FormatUnknown": {server: refs(func(w io.Writer) {
			_, _ = io.WriteString(w, gittest.Line("%s HEAD\x00object-format=sha256\n", zero+zero[:24])+gittest.Flush)
		}), want: source.ReasonGitOperationFailed, says: ""},
		"EmptyRepo":  {repo: func(*gittest.Repo) {}, want: source.ReasonReferenceNotFound, says: "the repository is empty"},
		"DumbServer": {server: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "aaaa\trefs/heads/main\n") }, want: source.ReasonGitOperationFailed, says: "not how repositories answer"},
		"CompressedBomb": {reason: "Nothing is unpacked that was not asked for packed.", server: func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			refs(func(w io.Writer) { _, _ = io.WriteString(w, "\x1f\x8b\x08") })(w, r)
		}, want: source.ReasonGitOperationFailed, says: ""},
		"RedirectLoop": {server: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }, want: source.ReasonGitOperationFailed, says: "redirects more than"},
		"RedirectToFile": {server: func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, want: source.ReasonGitOperationFailed, says: "not followed"},
		"RedirectUpload": {server: func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)

				return
			}

			advertise(nil)(w, r)
		}, want: source.ReasonGitOperationFailed, says: "redirects an upload"},
		"TagOfAnother": {reason: "The server says which commit a tag is of, and the tag says so as well.", repo: func(r *gittest.Repo) {
			commit := r.Push(gittest.Files{"a.yaml": configMap("a", "1")})
			r.Ref("refs/tags/v1", r.Object("tag", []byte(strings.Replace(gittest.TagText("v1", commit), "type commit", "type tree", 1))))
		}, change: func(r *source.Request) { r.Ref.Tag = "v1" }, want: source.ReasonRepositoryRefused, says: "not one of a commit"},
	}
}

// trickling answers a byte at a time.
func trickling(what string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		trickle(w, r, what)
	}
}

// advertiseSlowly has a reference, and a pack that never comes.
func advertiseSlowly() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		advertise(func(w http.ResponseWriter, _ string) {
			_ = http.NewResponseController(w).Flush()

			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		})(w, r)
	}
}
