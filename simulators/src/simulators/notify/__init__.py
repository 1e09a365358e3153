"""GOV.UK Notify: texts and e-mails, taken over HTTP as its own clients speak, and what became of each."""
