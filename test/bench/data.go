package main

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"time"
)

// writeNoise writes a file that no program can make smaller.
func writeNoise(file string, bytes int, _ uint64) error {
	noise := make([]byte, bytes)
	_, _ = rand.Read(noise)

	return os.WriteFile(file, noise, 0o600)
}

// writeLog writes a file of lines as a web server writes them.
func writeLog(file string, bytes int, seed uint64) error {
	paths := []string{"/", "/login", "/cart", "/api/v1/orders", "/static/app.js", "/static/logo.png", "/search"}
	dice := mathrand.New(mathrand.NewPCG(seed, 1)) //nolint:gosec // chance, not secrecy
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

	text := make([]byte, 0, bytes+256)
	for len(text) < bytes {
		at = at.Add(time.Duration(dice.IntN(900)) * time.Millisecond)
		text = fmt.Appendf(text, "10.%d.%d.%d - - [%s] \"GET %s?id=%d HTTP/1.1\" %d %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\" %.3f\n",
			dice.IntN(4), dice.IntN(256), dice.IntN(256), at.Format("02/Jan/2006:15:04:05 -0700"), paths[dice.IntN(len(paths))], dice.IntN(100_000),
			[]int{200, 200, 200, 304, 404, 500}[dice.IntN(6)], dice.IntN(50_000), dice.Float64())
	}

	return os.WriteFile(file, text[:bytes], 0o600)
}
