order: account.login

{"phone": "AQ=="}