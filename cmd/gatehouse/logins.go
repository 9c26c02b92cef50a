package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// logins are what gatehouse login keeps in a file that its owner alone can read.
type logins struct {
	Current  string              `json:"current"`  // the issuer of the last login, or ""
	Sessions map[string]cliLogin `json:"sessions"` // by issuer

	path string
}

// cliLogin is one login. Access tokens are not kept.
type cliLogin struct {
	ClientID     string `json:"client_id"`
	RefreshToken string `json:"refresh_token"`
}

// openLogins reads the file. It refuses one that others can read.
func openLogins(getenv func(string) string) (*logins, error) {
	c := &logins{Sessions: map[string]cliLogin{}, path: getenv("GATEHOUSE_CREDENTIALS")}
	if c.path == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return nil, fmt.Errorf("finding your configuration folder: %w (or name a file in GATEHOUSE_CREDENTIALS)", err)
		}
		c.path = filepath.Join(dir, "gatehouse", "credentials.json")
	}
	info, err := os.Stat(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 { // Windows has no such bits
		return nil, fmt.Errorf("%s can be read by others: chmod 600 it, and run gatehouse logout and login again", c.path)
	}
	text, err := os.ReadFile(c.path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s: %w: remove it and run gatehouse login", c.path, err)
	}
	if c.Sessions == nil {
		c.Sessions = map[string]cliLogin{}
	}
	return c, nil
}

// save writes the file as a whole, or leaves it as it was.
func (c *logins) save() error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(c.path), ".credentials-*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), c.path); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// forget drops the login at an issuer.
func (c *logins) forget(issuer string) error {
	delete(c.Sessions, issuer)
	if c.Current == issuer {
		c.Current = ""
	}
	if len(c.Sessions) > 0 {
		return c.save()
	}
	err := os.Remove(c.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
