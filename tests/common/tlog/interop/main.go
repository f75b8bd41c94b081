// Reads a log directory written by Sluis with the Go checksum database's own code, golang.org/x/mod/sumdb, unmodified.
// Usage: interop VKEY DIRECTORY ENTRIES, with the entries one a line in the file ENTRIES.
package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tileReader struct{ directory string }

func (tileReader) Height() int                     { return 8 }
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		// x/mod names the height of tiles in their path; tlog-tiles does not.
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(r.directory + "/" + path)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	check(err)
	message, err := os.ReadFile(os.Args[2] + "/checkpoint")
	check(err)
	opened, err := note.Open(message, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	var size int64
	_, err = fmt.Sscan(lines[1], &size)
	check(err)
	root, err := tlog.ParseHash(lines[2])
	check(err)
	data, err := os.ReadFile(os.Args[3])
	check(err)
	entries := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	if int64(len(entries)) != size {
		check(fmt.Errorf("checkpoint of size %d for %d entries", size, len(entries)))
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tileReader{os.Args[2]})
	for i := int64(0); i < size; i++ {
		proof, err := tlog.ProveRecord(size, i, hashes)
		check(err)
		check(tlog.CheckRecord(proof, size, root, i, tlog.RecordHash(entries[i])))
	}
	for old := int64(1); old <= size; old += 37 {
		oldRoot, err := tlog.TreeHash(old, hashes)
		check(err)
		proof, err := tlog.ProveTree(size, old, hashes)
		check(err)
		check(tlog.CheckTree(proof, size, root, old, oldRoot))
	}
	fmt.Println("verified", size)
}
