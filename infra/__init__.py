"""What the API and the workers share: settings, tables, repositories, queue and artifacts. No HTTP."""
