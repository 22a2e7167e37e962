// Package events holds sample events as EventBridge delivers them: one JSON file a sample. The tests decode these files, the
// demo plays them and the documentation shows them. README.md says what each is and where its shape is documented.
package events

import "embed"

// Files are the samples. Those at the top can be decoded, and so can those in captures/, which were written down from real
// events; those in malformed/ are each wrong in one place.
//
//go:embed *.json captures/*.json malformed/*.json
var Files embed.FS
