package main

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// startEmulator starts the DynamoDB that npm has installed at the top of the
// repository, empty and in memory, and returns its URL.
func startEmulator() (endpoint string, stop func(), err error) {
	found, err := filepath.Glob("../node_modules/@dynoxide/*/dynoxide*")
	if err != nil || len(found) == 0 {
		return "", nil, errors.New("no emulator: run npm ci at the top of the repository, and this in bench")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	addr := l.Addr().String()
	l.Close()
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(found[0], "--host", host, "--port", port)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	for range 500 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return "http://" + addr, stop, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	return "", nil, fmt.Errorf("the emulator does not listen at %s", addr)
}

func newClient(endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("emulator", "emulator", ""),
	}, options...)
}
