package flow

import (
	"bytes"
	"compress/flate"
	"io"
)

// maxContent bounds what [Decompress] returns, in bytes. It is more than the
// parameters that a gateway lets through.
const maxContent = 16 << 10

// Compress makes a content shorter that has to fit into a cookie. Only the browser
// that the content came from can measure the result.
func Compress(content []byte) []byte {
	var short bytes.Buffer
	w, err := flate.NewWriter(&short, flate.BestCompression)
	if err != nil {
		panic(err) // only for levels that do not exist
	}
	w.Write(content) // a buffer takes everything
	w.Close()
	return short.Bytes()
}

// Decompress returns the content that was compressed, if it is one of at most 16 KiB.
func Decompress(short []byte) ([]byte, bool) {
	content, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(short)), maxContent+1))
	return content, err == nil && len(content) <= maxContent
}
